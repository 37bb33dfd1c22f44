// What happens at a stage of a chain, as formulas with the numbers put in: a list of {of, left,
// middle, numbers, value, shown}; of: "carry" or a gate where it is one path of several, else "";
// shown: how the value is written.

import { ACTIVATIONS, CELLS, block, restOfLast } from "./chain.js";
import { factor, near, number, product, sum } from "./chain_text.js";

// Stage 0 shows nothing yet; 1 ... T a step forward each; T + 1 the loss; then a step back each.
export function formulas(chain, run, stage) {
  const { T } = run, units = Array.from({ length: chain.units }, (_, i) => i);
  if (stage === 0) return [line("h_0", "", "", 0)];
  if (stage === T + 1) return [lossLine(chain, run), ...units.map((i) => errorLine(chain, run, i))];
  const step = stage <= T ? FORWARD[chain.cell] : BACKWARD[chain.cell];
  const t = stage <= T ? stage : 2 * T + 1 - stage;
  return units.flatMap((i) => step(chain, run, t, i));
}

const line = (left, middle, numbers, value, of = "", shown = number(value)) => ({ of, left, middle, numbers, value, shown });

// h_2, or with several units h_{2,1}.
const at = (chain, name, t, i) => (chain.units > 1 ? `${name}_{${t},${i + 1}}` : `${name}_${t}`);

// φ(a), and 1 − σ(a), near their ends as what is left of them.
const valueOf = (kind, a) => near(ACTIVATIONS[kind].value(a), ACTIVATIONS[kind].rest?.(a));
const factorOf = (kind, a) => (/[−^]/.test(valueOf(kind, a)) ? `(${valueOf(kind, a)})` : valueOf(kind, a));
function fresh(a) {
  const rest = ACTIVATIONS.logistic.rest(a);
  return rest < 0.0005 ? number(rest) : `1 − ${factorOf("logistic", a)}`;
}

function lossLine(chain, run) {
  const { T, h, loss } = run, parts = h[T].map((_, i) => `(${missed(chain, run, i)})^2`);
  const symbol = chain.units > 1 ? `½ Σ (h_${T} − y)^2` : `½ (h_${T} − y)^2`;
  return line("L", symbol, `½·${chain.units > 1 ? `(${parts.join(" + ")})` : parts[0]}`, loss);
}

function errorLine(chain, run, i) {
  const h_T = at(chain, "h", run.T, i), y = chain.units > 1 ? `y_${i + 1}` : "y";
  return line(`∂L/∂${h_T}`, `${h_T} − ${y}`, missed(chain, run, i), run.e[i]);
}

// h_T − y, the numbers put in.
function missed(chain, run, i) {
  return `${near(run.h[run.T][i], restOfLast(chain, run)[i])} − ${factor(chain.target[i])}`;
}

// W x + W h, the numbers put in, row i.
function weighted(chain, gate, t, h, i) {
  const { x, h: W } = block(chain, gate);
  return [product(x[i], chain.inputs[t - 1]), ...h.map((value, j) => product(W[i][j], value))];
}

// Of what goes into an activation.
const slopes = {
  tanh: (a) => `(1 − ${factorOf("tanh", a)}^2)`,
  logistic: (a) => `${factorOf("logistic", a)}·(${fresh(a)})`,
  relu: (a) => number(ACTIVATIONS.relu.slope(a)),
  identity: () => "1",
};
const slopeSymbols = {
  tanh: (y) => `1 − ${y}^2`, logistic: (y) => `${y}·(1 − ${y})`, relu: (y) => `[${y} > 0]`, identity: () => "1",
};
const NAMES = { tanh: "tanh", logistic: "σ", relu: "ReLU", identity: "id" };

const FORWARD = {
  rnn(chain, run, t, i) {
    const step = run.steps[t], [a, h] = ["a", "h"].map((name) => at(chain, name, t, i));
    const kind = chain.activation, name = NAMES[kind], before = t - 1;
    const affine = chain.units > 1 ? "" : `W_{xh}·x_${t} + W_{hh}·h_${before} + b_h`;
    const terms = [...weighted(chain, "a", t, step.before.h, i), block(chain, "a").b[i]];
    return [
      line(a, affine, sum(terms), step.a.a[i]),
      line(h, `${name}(${a})`, `${name}(${number(step.a.a[i])})`, step.h[i], "", valueOf(kind, step.a.a[i])),
      line(`φ′(${a})`, slopeSymbols[kind](h), slopes[kind](step.a.a[i]), step.slope[i]),
    ];
  },
  lstm(chain, run, t, i) {
    const step = run.steps[t], named = (name, of = t) => at(chain, name, of, i);
    const [f, g, o] = ["f", "g", "o"].map((gate) => step.gates[gate][i]);
    return [
      ...CELLS.lstm.gates.map((gate) => opening(chain, step, t, gate, i)),
      line(named("c"), `${named("f")}·${named("c", t - 1)} + ${named("i")}·${named("g")}`,
        sum([product(f, step.before.c[i]), product(step.gates.i[i], g)]), step.c[i]),
      line(named("h"), `${named("o")}·tanh(${named("c")})`, product(o, `tanh(${number(step.c[i])})`), step.h[i]),
    ];
  },
  gru(chain, run, t, i) {
    const step = run.steps[t], named = (name, of = t) => at(chain, name, of, i);
    const { r, z, n } = step.gates, { x, h: W, b } = block(chain, "n");
    const reset = sum([...step.before.h.map((value, j) => product(W[i][j], value)), chain.b_hn[i]]);
    const parts = sum([product(x[i], chain.inputs[t - 1]), b[i], product(r[i], `(${reset})`)]);
    return [
      ...["r", "z"].map((gate) => opening(chain, step, t, gate, i)),
      line(named("n"), "", `tanh(${parts}) = tanh(${number(step.a.n[i])})`, n[i], "", valueOf("tanh", step.a.n[i])),
      line(named("h"), `(1 − ${named("z")})·${named("n")} + ${named("z")}·${named("h", t - 1)}`,
        sum([product(`(${fresh(step.a.z[i])})`, n[i]), product(z[i], step.before.h[i])]), step.h[i]),
    ];
  },
};

// A gate's value from what comes in.
function opening(chain, step, t, gate, i) {
  const kind = gate === "g" ? "tanh" : "logistic", name = NAMES[kind];
  const terms = sum([...weighted(chain, gate, t, step.before.h, i), block(chain, gate).b[i]]);
  return line(at(chain, gate, t, i), "", `${name}(${terms}) = ${name}(${number(step.a[gate][i])})`,
    step.gates[gate][i], "", valueOf(kind, step.a[gate][i]));
}

// From step t + 1 to step t, for unit i of step t.
const BACKWARD = {
  rnn(chain, run, t, i) {
    const u = t + 1, step = run.steps[u], W = block(chain, "a").h;
    const terms = W.map((row, k) => product(run.d_h[u][k], slopes[chain.activation](step.a.a[k]), row[i]));
    const middle = chain.units > 1 ? "" : `∂L/∂h_${u}·φ′(a_${u})·W_{hh}`;
    return [line(`∂L/∂${at(chain, "h", t, i)}`, middle, sum(terms), run.d_h[t][i])];
  },
  lstm(chain, run, t, i) {
    const u = t + 1, step = run.steps[u], past = run.back[u], named = (name, of = u) => at(chain, name, of, i);
    const { f, o } = step.gates, later = u < run.T;
    const fromLater = later ? product(run.steps[u + 1].gates.f[i], run.d_c[u + 1][i]) : null;
    const entering = product(run.d_h[u][i], o[i], slopes.tanh(step.c[i]));
    const carried = later ? `${named("f", u + 1)}·∂L/∂${named("c", u + 1)} + ` : "";
    const gate = (each) => gateLine(chain, step, t, i, each, {
      from: each === "o" ? run.d_h[u] : past.d_c,
      times: { i: step.gates.g, f: step.before.c, g: step.gates.i, o: step.squashed }[each],
      symbols: `∂L/∂${each === "o" ? "h" : "c"}_${u}·${{ i: `g_${u}`, f: `c_${t}`, g: `i_${u}`, o: `tanh(c_${u})` }[each]}`,
      value: past.paths[each][i],
    });
    return [
      line(`∂L/∂${named("c")}`, `${carried}∂L/∂${named("h")}·${named("o")}·(1 − tanh²(${named("c")}))`,
        sum([fromLater, entering].filter(Boolean)), past.d_c[i]),
      line("", `${named("f")}·∂L/∂${named("c")}`, product(f[i], past.d_c[i]), past.carry[i], "carry"),
      ...CELLS.lstm.gates.map(gate),
      total(chain, run, t, i, CELLS.lstm.gates.map((each) => past.paths[each][i])),
    ];
  },
  gru(chain, run, t, i) {
    const u = t + 1, step = run.steps[u], past = run.back[u], { r, z } = step.gates;
    const h_u = at(chain, "h", u, i), open = step.a.z.map((a) => `(${fresh(a)})`);
    const ofCandidate = step.a.n.map((a, k) => product(open[k], slopes.tanh(a)));
    const from = run.d_h[u], symbol = `∂L/∂h_${u}·(1 − z_${u})·(1 − n_${u}^2)`;
    return [
      line("", `${at(chain, "z", u, i)}·∂L/∂${h_u}`, product(z[i], from[i]), past.carry[i], "carry"),
      gateLine(chain, step, t, i, "r", { from, times: ofCandidate.map((part, k) => product(part, step.reset[k])),
        symbols: `${symbol}·(W_{hn}·h_${t} + b_{hn})`, value: past.paths.r[i] }),
      gateLine(chain, step, t, i, "z", { from, times: step.change,
        symbols: `∂L/∂h_${u}·(h_${t} − n_${u})`, value: past.paths.z[i] }),
      pathLine(chain, "n", i, `${symbol}·r_${u}`, from.map((d, k) => [d, ofCandidate[k], r[k]]), past.paths.n[i]),
      total(chain, run, t, i, [past.carry[i], ...["r", "z", "n"].map((each) => past.paths[each][i])]),
    ];
  },
};

// What one gate sends back: what arrives, times what the gate is multiplied with, its slope, its
// weight.
function gateLine(chain, step, t, i, gate, { from, times, symbols, value }) {
  const u = t + 1, into = step.a[gate], kind = gate === "g" ? "tanh" : "logistic";
  const name = `${gate}_${u}`, slope = kind === "tanh" ? `(1 − ${name}^2)` : `${name}·(1 − ${name})`;
  const terms = from.map((d, k) => [d, times[k], slopes[kind](into[k])]);
  return pathLine(chain, gate, i, `${symbols}·${slope}`, terms, value);
}

function pathLine(chain, gate, i, symbols, terms, value) {
  const W = block(chain, gate).h;
  const numbers = sum(terms.map((term, k) => product(...term, W[k][i])));
  return line("", chain.units > 1 ? "" : `${symbols}·W_{h${gate}}`, numbers, value, gate);
}

function total(chain, run, t, i, parts) {
  return line(`∂L/∂${at(chain, "h", t, i)}`, "", sum(parts), run.d_h[t][i]);
}

// A recurrent cell of a few units, forward and back through time, number by number. Pure
// arithmetic: no page, no drawing.
//
// Notation as in rnnviz.core: a_t = W_xh x_t + W_hh h_{t-1} + b_h with one input x_t; the gates'
// rows stacked i, f, g, o (LSTM) and r, z, n (GRU, reset after the product, with b_hn); matrices
// are lists of their rows one after the other. d_ means ∂L/∂, L = ½ Σ (h_T − target)².

// What is too small for a number is the least of them, with its sign, and never 0: a value below
// TINY says no more than that it is none.
export const TINY = 1e-300;
const LEAST = Number.MIN_VALUE;
const logistic = (a) => Math.max(LEAST, 1 / (1 + Math.exp(-a)));
const mul = (...factors) => {
  const found = factors.reduce((made, each) => made * each, 1);
  return found === 0 && factors.every((each) => each !== 0) ? LEAST * factors.reduce((sign, each) => sign * Math.sign(each), 1) : found;
};
// NaN where there is nothing to divide by, or too little to say.
const ratio = (over, under) => (under < TINY ? NaN : over > 0 && over < TINY ? LEAST : over / under);
const restOfTanh = (a) => 2 * logistic(-2 * Math.abs(a));
const ofTanh = (a) => restOfTanh(a) * (2 - restOfTanh(a));
const ofLogistic = (a) => mul(logistic(a), logistic(-a));

// Each value beside its slope and, where it has ends, beside what it leaves of 1: 1 − |φ(a)|. All in
// terms of a: slope and rest keep their digits where the value is rounded to its end.
export const ACTIVATIONS = {
  tanh: { value: Math.tanh, slope: ofTanh, rest: restOfTanh },
  relu: { value: (a) => Math.max(a, 0), slope: (a) => (a > 0 ? 1 : 0) },
  logistic: { value: logistic, slope: ofLogistic, rest: (a) => logistic(-a) },
  identity: { value: (a) => a, slope: () => 1 },
};

// `forward` makes h (and c) of a step and all that is needed on the way back. `backward` takes ∂L/∂h
// and, past the step itself, ∂L/∂c; it gives ∂L/∂a of each gate, what the gate sends to h_{t-1}
// through its weights (`paths`), and what reaches the state before it without any (`carry`). `missed`
// is h − y after the steps, without what rounding took from an h near ±1.
export const CELLS = {
  rnn: { gates: ["a"], forward: forwardRNN, backward: backwardRNN, missed: missedRNN },
  lstm: { gates: ["i", "f", "g", "o"], forward: forwardLSTM, backward: backwardLSTM, missed: missedLSTM },
  gru: { gates: ["r", "z", "n"], forward: forwardGRU, backward: backwardGRU, missed: missedGRU },
};

export const zip = (make, ...lists) => lists[0].map((_, k) => make(...lists.map((list) => list[k])));
export const add = (left, right) => zip((a, b) => a + b, left, right);
export const size = (vector) => Math.hypot(...vector);
const zeros = (count) => Array(count).fill(0);

// The block of a gate: {x: its column of W_xh, h: its rows of W_hh, b}.
export function block(chain, gate) {
  const H = chain.units, k = CELLS[chain.cell].gates.indexOf(gate);
  const rows = (list, width) => list.slice(k * H * width, (k + 1) * H * width);
  const flat = rows(chain.W_hh, H);
  return {
    x: rows(chain.W_xh, 1),
    h: Array.from({ length: H }, (_, i) => flat.slice(i * H, (i + 1) * H)),
    b: rows(chain.b_h, 1),
  };
}

const times = (matrix, vector) => matrix.map((row) => row.reduce((sum, w, j) => sum + mul(w, vector[j]), 0));

// Wᵀ d: what a gate sends back.
const back = (matrix, d) => matrix[0].map((_, j) => matrix.reduce((sum, row, i) => sum + mul(row[j], d[i]), 0));

function preactivation(chain, gate, x, h) {
  const { x: W_x, h: W_h, b } = block(chain, gate);
  return zip((w, product, bias) => mul(w, x) + product + bias, W_x, times(W_h, h), b);
}

function forwardRNN(chain, x, { h }) {
  const { value, slope } = ACTIVATIONS[chain.activation];
  const a = preactivation(chain, "a", x, h), next = a.map(value);
  return { a: { a }, gates: { a: next }, h: next, slope: a.map(slope) };
}

function backwardRNN(chain, step, d_h) {
  const d_a = zip(mul, step.slope, d_h);
  return { d_a: { a: d_a }, paths: { a: back(block(chain, "a").h, d_a) }, carry: zeros(chain.units) };
}

function missedRNN(chain, steps, wanted) {
  const { h, a } = steps.at(-1), { rest } = ACTIVATIONS[chain.activation];
  return zip((y, into, target) => apart(y, rest?.(into), target), h, a.a, wanted);
}

// y as a sum of an end, ±1 or 0, and what is left: both keep their digits where y is rounded to ±1,
// to which it leaves `rest`.
function split(y, rest) {
  const end = rest !== undefined && Math.abs(y) > 0.5 ? Math.sign(y) : 0;
  return end ? [end, -end * rest] : [0, y];
}

const difference = ([end, left], [other, right]) => end - other + (left - right);

// y − other, without what rounding took from a y that leaves `rest` to ±1.
const apart = (y, rest, other) => difference(split(y, rest), [other, 0]);

function forwardLSTM(chain, x, { h, c }) {
  const a = {}, gates = {};
  for (const gate of CELLS.lstm.gates) {
    a[gate] = preactivation(chain, gate, x, h);
    gates[gate] = a[gate].map(gate === "g" ? Math.tanh : logistic);
  }
  const next = zip((f, before, i, g) => mul(f, before) + mul(i, g), gates.f, c, gates.i, gates.g);
  const squashed = next.map(Math.tanh);
  const out = zip(mul, gates.o, squashed);
  return { a, gates, c: next, squashed, h: out, slope: next.map(ofTanh) };
}

function backwardLSTM(chain, step, d_h, carried) {
  const { i, f, g, o } = step.gates, { a } = step;
  const entering = zip(mul, o, step.slope, d_h);
  const d_c = add(carried, entering);
  const d_a = {
    i: zip((d, other, into) => mul(d, other, ofLogistic(into)), d_c, g, a.i),
    f: zip((d, before, into) => mul(d, before, ofLogistic(into)), d_c, step.before.c, a.f),
    g: zip((d, other, into) => mul(d, other, ofTanh(into)), d_c, i, a.g),
    o: zip((d, y, into) => mul(d, y, ofLogistic(into)), d_h, step.squashed, a.o),
  };
  const carry = zip(mul, f, d_c);
  return { d_a, paths: pathsOf(chain, d_a), carry, entering, d_c };
}

function missedLSTM(chain, steps, wanted) {
  const { h, c, a } = steps.at(-1);
  return zip((y, cell, into, target) => {
    const rests = [logistic(-into), restOfTanh(cell)];
    return apart(y, rests[0] + rests[1] - rests[0] * rests[1], target);
  }, h, c, a.o, wanted);
}

function pathsOf(chain, d_a) {
  return Object.fromEntries(Object.entries(d_a).map(([gate, d]) => [gate, back(block(chain, gate).h, d)]));
}

function forwardGRU(chain, x, { h, parts }) {
  const a = {}, gates = {};
  for (const gate of ["r", "z"]) {
    a[gate] = preactivation(chain, gate, x, h);
    gates[gate] = a[gate].map(logistic);
  }
  const { x: W_x, h: W_h, b } = block(chain, "n");
  const reset = add(times(W_h, h), chain.b_hn); // what r lets through
  a.n = zip((w, bias, r, m) => mul(w, x) + bias + mul(r, m), W_x, b, gates.r, reset);
  gates.n = a.n.map(Math.tanh);
  const fresh = a.z.map((into) => logistic(-into)); // 1 − z
  const next = zip((z, other, n, before) => mul(other, n) + mul(z, before), gates.z, fresh, gates.n, h);
  const ofN = zip((n, into) => split(n, restOfTanh(into)), gates.n, a.n), last = parts ?? h.map((y) => [0, y]);
  const change = zip(difference, last, ofN);
  const parted = zip(mean, fresh, ofN, gates.z, last);
  return { a, gates, reset, fresh, change, parts: parted, h: next, slope: a.n.map(ofTanh) };
}

// open · n + z · h, where open + z = 1: near the end of the one that counts more.
function mean(open, [end, left], z, [before, last]) {
  return open >= z ? [end, open * left + z * (before - end + last)] : [before, z * last + open * (end - before + left)];
}

function missedGRU(chain, steps, wanted) {
  return zip((parts, target) => difference(parts, [target, 0]), steps.at(-1).parts, wanted);
}

function backwardGRU(chain, step, d_h) {
  const { r, z } = step.gates, { a } = step;
  const d_n = zip(mul, d_h, step.fresh, step.slope);
  const d_a = {
    r: zip((d, m, into) => mul(d, m, ofLogistic(into)), d_n, step.reset, a.r),
    z: zip((d, change, into) => mul(d, change, ofLogistic(into)), d_h, step.change, a.z),
    n: d_n,
  };
  const d_reset = zip(mul, d_n, r);
  const paths = { ...pathsOf(chain, { r: d_a.r, z: d_a.z }), n: back(block(chain, "n").h, d_reset) };
  return { d_a, d_reset, paths, carry: zip(mul, z, d_h) };
}

// The whole chain. h[t], c[t], d_h[t], d_c[t] for t = 0 ... T; steps[t], back[t] for t = 1 ... T: what
// happens in step t. state[t] is the error ∂L/∂s_t of the whole state, s = (h, c) with h and c as
// independent coordinates; factors[t] what step t makes of its size, with its sign where the state
// is one number; products[t] that of all steps after t.
export function unroll(chain) {
  const T = chain.inputs.length, H = chain.units, cell = CELLS[chain.cell];
  const steps = [null], h = [zeros(H)], c = chain.cell === "lstm" ? [zeros(H)] : null;
  for (let t = 1; t <= T; t += 1) {
    const before = { h: h[t - 1], c: c?.[t - 1], parts: steps[t - 1]?.parts };
    steps.push({ before, ...cell.forward(chain, chain.inputs[t - 1], before) });
    h.push(steps[t].h);
    c?.push(steps[t].c);
  }
  const e = cell.missed(chain, steps, chain.target);
  const loss = 0.5 * e.reduce((sum, each) => sum + mul(each, each), 0);
  return { T, steps, h, c, e, loss, ...backThrough(chain, steps, e) };
}

const BELOW = 1 - 2 ** -53; // the number before 1

// The run as it is written: what tanh and σ make lies within ±1, also where it was rounded to ±1.
export function within(chain, run) {
  if (chain.cell === "rnn" && !ACTIVATIONS[chain.activation].rest) return run;
  const inside = (list) => list.map((value) => (Math.abs(value) === 1 ? value * BELOW : value));
  const h = run.h.map(inside);
  const steps = run.steps.map((step, t) => step && { ...step, h: h[t], squashed: step.squashed && inside(step.squashed),
    before: { ...step.before, h: h[t - 1] },
    gates: Object.fromEntries(Object.entries(step.gates).map(([gate, values]) => [gate, inside(values)])) });
  return { ...run, h, steps };
}

// What each h_T leaves to the end it is near, ±1; NaN where its cell has no ends.
export function restOfLast(chain, { T, h, steps }) {
  if (chain.cell === "rnn" && !ACTIVATIONS[chain.activation].rest) return h[T].map(() => NaN);
  return CELLS[chain.cell].missed(chain, steps, h[T].map(Math.sign)).map(Math.abs);
}

function backThrough(chain, steps, e) {
  const T = chain.inputs.length, { backward, gates } = CELLS[chain.cell], inC = chain.cell === "lstm";
  const d_h = [], d_c = [], state = [], results = [];
  let carried = zeros(chain.units), d = e;
  for (let t = T; t >= 1; t -= 1) {
    d_h[t] = d;
    state[t] = inC ? [...d, ...carried] : d;
    const step = backward(chain, steps[t], d, carried);
    results[t] = step;
    d_c[t] = step.d_c;
    const through = gates.map((gate) => step.paths[gate]).reduce(add);
    d = inC ? through : add(through, step.carry);
    if (inC) carried = step.carry;
  }
  d_h[0] = d;
  d_c[0] = carried;
  state[0] = inC ? [...d, ...carried] : d;
  return { back: results, d_h, d_c: inC ? d_c : null, state, ...factorsOf(chain, steps, state),
    grads: gradients(chain, steps, results) };
}

// NaN where there is no error left to be multiplied.
function factorsOf(chain, steps, state) {
  const T = steps.length - 1, factors = [null], products = [];
  const alone = chain.units === 1 && chain.cell !== "lstm";
  for (let t = 1; t <= T; t += 1) factors[t] = alone ? derivative(chain, steps[t]) : ratio(size(state[t - 1]), size(state[t]));
  products[T] = 1;
  for (let t = T - 1; t >= 0; t -= 1) {
    products[t] = alone ? mul(products[t + 1], factors[t + 1]) : ratio(size(state[t]), size(state[T]));
  }
  return { factors, products };
}

// ∂h_t/∂h_{t-1} of a single unit.
function derivative(chain, step) {
  const { paths, carry } = CELLS[chain.cell].backward(chain, step, [1]);
  return Object.values(paths).flat().reduce((sum, path) => sum + path, carry[0]);
}

// ∂L/∂ of every parameter: sums over the steps.
function gradients(chain, steps, results) {
  const sums = { W_xh: [], W_hh: [], b_h: [], b_hn: [] };
  const past = steps.map((step, t) => ({ step, d: results[t], x: chain.inputs[t - 1] })).slice(1);
  const total = (make) => past.reduce((sum, each) => sum + make(each), 0);
  for (const gate of CELLS[chain.cell].gates) {
    for (let i = 0; i < chain.units; i += 1) {
      const ofInput = ({ d }) => d.d_a[gate][i];
      const ofState = ({ d }) => (gate === "n" ? d.d_reset[i] : d.d_a[gate][i]);
      sums.W_xh.push(total((each) => mul(ofInput(each), each.x)));
      sums.b_h.push(total(ofInput));
      for (let j = 0; j < chain.units; j += 1) sums.W_hh.push(total((each) => mul(ofState(each), each.step.before.h[j])));
      if (gate === "n") sums.b_hn.push(total(ofState));
    }
  }
  return sums;
}

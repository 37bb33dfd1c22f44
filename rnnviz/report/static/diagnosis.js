// The figures of a diagnosis, drawn one after the other below what was found.

import { Figure, onPaper } from "./figure.js";
import { refuse, unpacked } from "./packed.js";

async function main() {
  const held = JSON.parse(await unpacked("data"));
  for (const box of document.querySelectorAll("[data-figure]")) {
    await new Figure(box, held, held.words).show(held.figures[box.dataset.figure]);
    await new Promise((resolve) => setTimeout(resolve)); // the page stays awake between two figures
  }
}

onPaper();
main().catch(refuse);

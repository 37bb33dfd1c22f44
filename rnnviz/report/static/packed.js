// What a file holds packed, and plotly.js among it.

// The text of the element of that name: gzip, as base64.
export async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// Say, where the page has kept the words for it, that this browser cannot open the file.
export function refuse(error) {
  console.error(error);
  document.getElementById("too-old").hidden = false;
}

let plotly = null;

// plotly.js is run once, as a script that the page's policy knows by what is in it.
export function plotlyHere() {
  plotly ??= unpacked("plotly").then((text) => {
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    return window.Plotly;
  });
  return plotly;
}

// What is asked for past the script: JSON that is posted, and the frames of the answer.

export const utf8 = new TextDecoder();

export function post({ token, path }, body, abort) {
  const headers = { "Content-Type": "application/json", "X-Rnnviz-Token": token };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: abort.signal });
}

// {parts: [name, content] of each frame but the last, end: what that says}
export async function read(answer) {
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!answer.ok || !kind.startsWith("application/octet-stream")) throw new Error(answer.status);
  const parts = frames(await answer.arrayBuffer());
  const end = parts.pop();
  if (end?.[0] !== "end") throw new Error("an answer without an end");
  return { parts, end: JSON.parse(utf8.decode(end[1])) };
}

// Before each, 4 bytes for the length of its name and of its content.
function frames(buffer) {
  const sizes = new DataView(buffer), found = [];
  for (let at = 0; at + 8 <= buffer.byteLength;) {
    const name = at + 8 + sizes.getUint32(at, true);
    const end = name + sizes.getUint32(at + 4, true);
    found.push([utf8.decode(new Uint8Array(buffer, at + 8, name - at - 8)), new Uint8Array(buffer, name, end - name)]);
    at = end;
  }
  return found;
}

// In a file there is no server: what would be sent to it is done at once. Stands in for the
// dashboard's page.js in the scripts that a file shares with it.

export function sendAlone(send) {
  send();
}

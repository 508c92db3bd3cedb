"use strict";
// Columns sort at a click on their header, and a second click turns the order round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const header = button.parentElement, table = header.closest("table"), body = table.tBodies[0];
    const column = [...header.parentElement.children].indexOf(header);
    const down = header.getAttribute("aria-sort") !== "descending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
    const order = (a, b) => {
      const x = Number(key(a)), y = Number(key(b));
      return Number.isNaN(x) || Number.isNaN(y) ? key(a).localeCompare(key(b)) : x - y;
    };
    body.append(...[...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b))));
  });
}
// A link to a layer opens it.
const layers = [...document.querySelectorAll("details.layer")];
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); target.querySelector("summary").focus(); }
};
addEventListener("hashchange", reveal);
reveal();
const all = document.getElementById("all");
all?.addEventListener("click", () => {
  const open = layers.some((layer) => !layer.open);
  for (const layer of layers) layer.open = open;
  all.textContent = open ? "Close all layers" : "Open all layers";
  all.setAttribute("aria-expanded", String(open));
});
// On paper nothing can be opened.
let closed = [];
addEventListener("beforeprint", () => { closed = layers.filter((layer) => !layer.open); for (const layer of closed) layer.open = true; });
addEventListener("afterprint", () => { for (const layer of closed) layer.open = false; });

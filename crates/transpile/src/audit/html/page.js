"use strict";
(() => {
  const controls = document.getElementById("controls");
  const search = document.getElementById("search");
  const boxes = [...controls.querySelectorAll("input[type=checkbox]")];
  const rows = [...document.querySelectorAll("[data-text]")];
  const count = document.getElementById("count");
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const row of rows) {
      const fits = states.has(row.dataset.state) && words.every((word) => row.dataset.text.includes(word));
      row.hidden = !fits;
      if (fits && row.tagName === "TR") shown += 1;
    }
    count.textContent = `${shown} shown`;
  };
  search.addEventListener("input", show);
  boxes.forEach((box) => box.addEventListener("change", show));
  controls.hidden = false;
  show();
  for (const head of document.querySelectorAll("table.sortable th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const column = [...head.parentNode.children].indexOf(head);
      const body = head.closest("table").tBodies[0];
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.children[column].dataset.key ?? row.children[column].textContent;
      const sorted = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true }));
      body.append(...(up ? sorted : sorted.reverse()));
    });
  }
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.closest("details");
    if (details) {
      details.open = true;
      target.scrollIntoView({ block: "center" });
    }
  };
  addEventListener("hashchange", open);
  open();
})();

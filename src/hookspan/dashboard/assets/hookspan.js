// What makes the pages more comfortable. All of them work without it.
"use strict";

(() => {
  const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const exact = new Intl.DateTimeFormat(undefined, {
    weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short",
  });

  const moment = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  // Times: how long ago, kept fresh; the exact one in the viewer's zone and in UTC.
  function tellTime(element) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const seconds = Math.round((Date.now() - at.getTime()) / 1000);
    const found = STEPS.find(([, size]) => Math.abs(seconds) >= size);
    let text = "now";
    if (found) {
      const count = Math.floor(Math.abs(seconds) / found[1]);
      const span = `${count} ${found[0]}${count === 1 ? "" : "s"}`;
      text = seconds >= 0 ? `${span} ago` : `in ${span}`;
    }
    if (element.textContent !== text) element.textContent = text;
    element.title = `${exact.format(at)}\n${element.dateTime}`;
  }
  const tellTimes = (root) => root.querySelectorAll("time[data-time]").forEach(tellTime);
  function tellMoments(root) {
    root.querySelectorAll("time[data-moment]").forEach((one) => {
      const at = new Date(one.dateTime);
      if (Number.isNaN(at.getTime())) return;
      one.textContent = moment.format(at);
      one.title = `${exact.format(at)}\n${one.dateTime}`;
    });
  }

  function showHidden(root) {
    if (navigator.clipboard) root.querySelectorAll(".copy[hidden]").forEach((one) => { one.hidden = false; });
    root.querySelectorAll(".whole[hidden]").forEach((one) => { one.hidden = false; });
  }

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.querySelector("span");
    const before = label.textContent;
    label.textContent = "Copied";
    button.classList.add("is-done");
    setTimeout(() => { label.textContent = before; button.classList.remove("is-done"); }, 1500);
  }

  // Whole rows, columns and groups: all on, or, where they are, all off.
  function tickWhole(button) {
    const table = button.closest("[data-matrix]");
    let boxes;
    if (button.dataset.column) {
      boxes = table.querySelectorAll(`tbody td:nth-child(${Number(button.dataset.column) + 1}) input`);
    } else {
      boxes = (table ? button.closest("tr") : button.closest("[data-group]")).querySelectorAll("input[type=checkbox]");
    }
    const isOn = [...boxes].every((box) => box.checked);
    boxes.forEach((box) => { box.checked = !isOn; });
    count(button.closest("fieldset"));
  }
  function count(fieldset) {
    const place = fieldset && fieldset.querySelector("[data-count]");
    if (place) place.textContent = `${fieldset.querySelectorAll("input[name=event]:checked").length} ticked`;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.copy !== undefined) copy(button);
    else if (button.classList.contains("whole")) tickWhole(button);
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "event") count(event.target.closest("fieldset"));
  });

  // A form that makes something is sent once.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.once === undefined) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((one) => { delete one.dataset.sent; }));

  // Keys: / to search, j and k along rows, Enter opens (it is a link).
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "/") {
      const field = document.getElementById("search");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    } else if (event.key === "j" || event.key === "k") {
      const rows = [...document.querySelectorAll(".list .row")];
      const next = rows.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
      if (rows[next]) rows[next].focus();
    }
  });

  function start(root) {
    tellTimes(root);
    tellMoments(root);
    showHidden(root);
  }
  document.addEventListener("htmx:afterSettle", (event) => start(event.target.parentNode || document));
  document.addEventListener("htmx:afterSwap", () => start(document));
  // What was made is not made again by reloading: the address becomes that of what was made.
  const address = document.body.dataset.address;
  if (address) history.replaceState(null, "", address);
  // The word in the address that says what was done is said once.
  const here = new URL(location.href);
  if (here.searchParams.has("done")) {
    here.searchParams.delete("done");
    history.replaceState(null, "", here.pathname + here.search);
  }
  start(document);
  setInterval(() => tellTimes(document), 10000);
})();

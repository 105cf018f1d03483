// What makes the pages more comfortable. All of them work without it.
"use strict";

(() => {
  const STEPS = [["day", 86400, 2], ["hour", 3600, 1], ["minute", 60, 1], ["second", 1, 1]]; // from so many on
  const exact = new Intl.DateTimeFormat(undefined, {
    weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short",
  });

  const moment = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });

  // A line of links that goes on beyond the edge begins with where one is.
  const showPlaces = (root) => root.querySelectorAll("nav a[aria-current]").forEach((one) => {
    const line = one.parentElement;
    line.scrollLeft = one.offsetLeft - line.offsetLeft - (line.clientWidth - one.offsetWidth) / 2;
  });

  // Times: how long ago, kept fresh; the exact one in the viewer's zone and in UTC.
  function tellTime(element) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const seconds = Math.round((Date.now() - at.getTime()) / 1000);
    const found = STEPS.find(([, size, least]) => Math.abs(seconds) >= size * least);
    let text = "now";
    if (found) {
      const count = Math.floor(Math.abs(seconds) / found[1]);
      const span = `${count} ${found[0]}${count === 1 ? "" : "s"}`;
      text = seconds >= 0 ? `${span} ago` : `in ${span}`;
    }
    if ("lasting" in element.dataset) text = text === "now" ? "a moment" : text.replace(" ago", "");
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

  // Times that are typed: shown in the viewer's zone; what is sent beside them is exact, whatever the zone.
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone || "your time";
  const two = (number) => String(number).padStart(2, "0");
  function inField(at) {
    return `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
  }
  function zoneFields(root) {
    root.querySelectorAll("input[data-zoned][name]").forEach((field) => {
      const sent = document.createElement("input");
      const at = new Date(field.dataset.zoned);
      const isTime = field.dataset.zoned !== "" && !Number.isNaN(at.getTime());
      sent.type = "hidden";
      sent.name = field.name;
      sent.value = isTime ? field.dataset.zoned : "";
      field.removeAttribute("name");
      field.value = isTime ? inField(at) : "";
      field.after(sent);
    });
    root.querySelectorAll("[data-zone]").forEach((one) => { one.textContent = zone; });
  }
  function keepExact(event) {
    const field = event.target;
    if (field.dataset.zoned === undefined || field.name) return;
    const at = new Date(field.value);
    field.nextElementSibling.value = Number.isNaN(at.getTime()) ? "" : at.toISOString();
  }
  // Before whoever reads the form.
  document.addEventListener("input", keepExact, true);
  document.addEventListener("change", keepExact, true);
  function markWrong() {
    document.querySelectorAll("p.wrong[aria-live]").forEach((one) => {
      const field = document.querySelector(`[aria-describedby~="${one.id}"]`);
      if (field) field.setAttribute("aria-invalid", String(one.textContent.trim() !== ""));
    });
  }

  // Charts by the hour: what the pointer reads, the table, and round hours of the viewer's clock below.
  const hour = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const ONE_DAY = 48;
  const TICKS_MAX = 6;
  const EDGE = 342;
  function tellHours(root) {
    root.querySelectorAll("time[data-hour]").forEach((one) => {
      const at = new Date(one.dateTime);
      one.textContent = hour.format(at);
      one.title = `${exact.format(at)}\n${one.dateTime}`;
    });
    root.querySelectorAll("svg[data-hours]").forEach((chart) => {
      const slots = [...chart.querySelectorAll("[data-at]")];
      slots.forEach((slot) => {
        const title = slot.querySelector("title");
        const [when, told] = title.textContent.split(/: (.*)/s);
        title.textContent = `${hour.format(new Date(slot.dataset.at))} (${when}): ${told}`;
      });
      const isClock = slots.length <= ONE_DAY;
      const round = slots.filter((slot) => new Date(slot.dataset.at).getHours() % (isClock ? 6 : 24) === 0);
      const step = Math.ceil(round.length / TICKS_MAX) || 1;
      chart.querySelectorAll("[data-tick]").forEach((one) => one.remove());
      round.filter((_, place) => place % step === 0).forEach((slot) => {
        const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
        const x = Number(slot.getAttribute("x")) + Number(slot.getAttribute("width")) / 2;
        label.setAttribute("x", String(x));
        label.setAttribute("y", "144");
        label.setAttribute("text-anchor", x > EDGE ? "end" : "middle");
        label.textContent = (isClock ? clock : day).format(new Date(slot.dataset.at));
        chart.append(label);
      });
      delete chart.dataset.hours;
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
    if (boxes.length) boxes[0].dispatchEvent(new Event("change", {bubbles: true}));
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
  // What was ticked last is shown as it will be sent; what is not ticked any more is not.
  function choose(box) {
    const select = document.getElementById("f-sample");
    if (!select) return;
    const fits = (one) => one.value && (one.value === box.value || box.value === `category:${one.dataset.category}`);
    const found = [...select.options].find(fits);
    if (box.checked && found) select.value = found.value;
    else if (!box.checked && select.selectedOptions.length && fits(select.selectedOptions[0])) select.value = "";
  }

  document.addEventListener("change", (event) => {
    if (event.target.name !== "event") return;
    count(event.target.closest("fieldset"));
    choose(event.target);
  });

  // A form that makes something is sent once.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.once === undefined) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach((one) => { delete one.dataset.sent; }));

  // Help over the page; Escape closes it, and the focus is back where it was. Where it can't be had, its page opens.
  let dialog = null;
  async function help(link) {
    try {
      if (!dialog) {
        const answer = await fetch(link.href);
        const content = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("help");
        if (!answer.ok || !content) throw new Error("no help");
        const close = document.createElement("button");
        close.className = "button";
        close.textContent = "Close";
        close.addEventListener("click", () => dialog.close());
        dialog = document.createElement("dialog");
        dialog.setAttribute("aria-labelledby", "help-title");
        dialog.append(close, document.importNode(content, true));
        dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
        document.body.append(dialog);
        start(dialog);
      }
      if (!dialog.open) dialog.showModal();
    } catch {
      location.assign(link.href);
    }
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-help]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link && isPlain && !document.querySelector("main #help")) { event.preventDefault(); help(link); }
  });

  // Keys: / to search, j and k along rows, Enter opens (it is a link).
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") {
      const link = document.querySelector("a[data-help]");
      if (link && !document.querySelector("main #help")) { event.preventDefault(); help(link); }
    } else if (event.key === "/") {
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
    zoneFields(root);
    tellHours(root);
    markWrong();
    showHidden(root);
    showPlaces(root);
  }
  // An answer to the form as it was would put back what was just chosen: it is given up, and asked for anew.
  document.addEventListener("change", (event) => {
    const panel = document.getElementById("sample");
    if (panel && panel.closest("form") === event.target.form) htmx.trigger(panel, "htmx:abort");
  });
  // A refusal (too many changes, a session that is over) has no sample: the one that is there stays.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "sample-content" && event.detail.xhr.status >= 400) event.detail.shouldSwap = false;
  });
  // A part that brings itself up to date leaves open what was opened, and the focus where it was.
  let before = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    const active = document.activeElement;
    const alike = [...part.querySelectorAll(active.localName)];
    before = part.id && {
      id: part.id, open: [...part.querySelectorAll("details")].map((one) => one.open),
      name: active.localName, count: alike.length, at: alike.indexOf(active),
    };
  });
  function restore() {
    const part = before && document.getElementById(before.id);
    if (!part) return;
    const details = part.querySelectorAll("details");
    if (details.length === before.open.length) details.forEach((one, place) => { one.open = before.open[place]; });
    const alike = part.querySelectorAll(before.name);
    if (before.at >= 0 && alike.length === before.count && document.activeElement === document.body) {
      alike[before.at].focus({preventScroll: true});
    }
    before = null;
  }
  document.addEventListener("htmx:afterSettle", (event) => start(event.target.parentNode || document));
  document.addEventListener("htmx:afterSwap", () => { start(document); restore(); });
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

// The live tail: rows that the server sends are put in where they belong, unless it is paused: then they wait, counted.
"use strict";

(() => {
  const ROWS_MAX = 200;
  const WAITING_MAX = 500;

  class Tail {
    constructor(root) {
      this.root = root;
      this.rows = root.querySelector("[data-tail-rows]");
      this.state = root.querySelector("[data-tail-state]");
      this.left = root.querySelector("[data-tail-left]");
      this.button = root.querySelector("[data-tail-pause]");
      this.waiting = new Map(); // id → row, while paused
      this.isPaused = false;
      this.leftOut = 0;
      this.address = root.dataset.tail;
      this.button.hidden = false;
      this.button.addEventListener("click", () => this.toggle());
      this.open();
    }

    open() {
      const address = new URL(this.address, location.href);
      const newest = this.rows.firstElementChild;
      if (newest) address.searchParams.set("after", newest.dataset.id);
      this.source = new EventSource(address);
      this.source.addEventListener("open", () => this.tell());
      this.source.addEventListener("rows", (event) => this.take(JSON.parse(event.data)));
      this.source.addEventListener("refused", (event) => this.refused(JSON.parse(event.data)));
      this.source.addEventListener("error", () => this.lost());
    }

    close() {
      clearTimeout(this.timer);
      this.source.close();
    }

    say(words) {
      if (this.state.textContent !== words) this.state.textContent = words;
    }

    tell() {
      this.say(this.isPaused ? "Paused." : "Live.");
      this.state.dataset.kind = this.isPaused ? "paused" : "live";
    }

    lost() {
      this.state.dataset.kind = "off";
      if (this.source.readyState === EventSource.CLOSED) {
        this.say("This has ended: reload the page to sign in or see why.");
      } else this.say("Connecting again …");
    }

    refused(told) {
      this.close();
      this.state.dataset.kind = "off";
      this.say(told.words);
      this.timer = setTimeout(() => this.open(), told.retry_s * 1000);
    }

    take(told) {
      this.tell();
      const part = document.createElement("template");
      part.innerHTML = told.html; // escaped by the server, as every page is
      for (const row of [...part.content.querySelectorAll("tr[data-id]")].reverse()) this.add(row);
      this.leftOut += told.left_out;
      if (told.is_cut) this.isCut = true;
      this.count();
    }

    add(row) {
      const id = row.dataset.id;
      if (this.waiting.has(id) || this.rows.querySelector(`[data-id="${CSS.escape(id)}"]`)) return;
      const oldest = this.rows.lastElementChild;
      if (oldest && this.rows.childElementCount >= ROWS_MAX && id < oldest.dataset.id) return;
      if (!this.isPaused) this.put(row);
      else {
        this.waiting.set(id, row);
        if (this.waiting.size > WAITING_MAX) {
          this.waiting.delete(this.waiting.keys().next().value);
          this.leftOut += 1;
        }
      }
    }

    // Ids sort as attempts do, the newest is first.
    put(row) {
      let place = this.rows.firstElementChild;
      while (place && place.dataset.id > row.dataset.id) place = place.nextElementSibling;
      this.rows.insertBefore(row, place);
      if (this.rows.childElementCount > ROWS_MAX) this.rows.lastElementChild.remove();
      this.root.querySelector("table").hidden = false;
      this.root.querySelector("[data-tail-empty]").hidden = true;
    }

    count() {
      const left = this.leftOut.toLocaleString();
      const more = this.isCut ? "More was sent than can be shown." : `${left} more left out: too many at once.`;
      this.left.textContent = this.leftOut || this.isCut ? more : "";
      const size = this.waiting.size;
      this.button.textContent = this.isPaused ? `Resume${size ? `, ${size}${size >= WAITING_MAX ? "+" : ""} new` : ""}` : "Pause";
    }

    toggle() {
      this.isPaused = !this.isPaused;
      if (!this.isPaused) {
        this.waiting.forEach((row) => this.put(row));
        this.waiting.clear();
      }
      this.tell();
      this.count();
    }
  }

  let tail = null;
  function start() {
    const root = document.querySelector("[data-tail]");
    if (tail && tail.root === root) return;
    if (tail) tail.close();
    tail = root && new Tail(root);
  }
  start();
  document.addEventListener("htmx:afterSwap", start);
  window.addEventListener("pagehide", () => { if (tail) tail.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted && tail) tail.open(); });
})();

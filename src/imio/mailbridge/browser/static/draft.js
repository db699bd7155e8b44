// Saves what is being written as a draft on the server. What the server has not yet is kept in this browser, under the user's id.
(() => {
    const box = document.getElementById("mailbridge-draft");
    const form = document.getElementById("mailbridge-compose");
    if (!box || !form) return;
    const EVERY = 2000; // milliseconds
    const RETRY = 10000;
    const PREFIX = "mailbridge-draft:";
    const key = `${PREFIX}${box.dataset.user}:${box.dataset.document}`;
    const hidden = (name) => form.elements[`mailbridge.${name}`];
    const saved = document.getElementById("mailbridge-draft-saved");
    const unsaved = document.getElementById("mailbridge-unsaved");
    const conflict = document.getElementById("mailbridge-conflict");
    const restore = document.getElementById("mailbridge-restore");
    const started = hidden("revision").value.split(" ").pop();
    let base = started; // the revision that the server has of what stands here
    let pending = ""; // the one that is on its way
    let blocked = false; // until the person chose what becomes of two versions
    let submitting = false;
    let notBefore = 0;
    let known; // what the server has

    // A shared computer: nothing of other users stays.
    const own = (name) => name.startsWith(`${PREFIX}${box.dataset.user}:`);
    for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX) && !own(name)) localStorage.removeItem(name);
    const forget = () => localStorage.removeItem(key);
    const read = () => {
        try {
            return JSON.parse(localStorage.getItem(key));
        } catch {
            return null;
        }
    };
    const keep = (next) => {
        try {
            const entry = { at: Date.now(), bases: pending && pending !== next ? [base, pending] : [base], next, submission: hidden("submission").value, fields: fields() };
            localStorage.setItem(key, JSON.stringify(entry));
        } catch {
            // no room in the browser: the server is asked all the same
        }
    };

    function fields() {
        if (window.tinymce) window.tinymce.triggerSave();
        return [...new FormData(form)].filter(([name, value]) => name.startsWith("form.widgets.") && typeof value === "string");
    }
    const snapshot = () => JSON.stringify(fields());
    const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

    function data(entries, basedOn, next) {
        const body = new FormData();
        for (const [name, value] of entries) body.append(name, value);
        body.append("mailbridge.revision", basedOn);
        body.append("mailbridge.submission", hidden("submission").value);
        body.append("mailbridge.next", next);
        body.append("_authenticator", form.elements._authenticator.value);
        return body;
    }

    /** Return the answer as {status, message, …}; status 401 also when the log-in page answers, 0 when nothing does. */
    async function post(body) {
        try {
            const response = await fetch(box.dataset.url, {
                method: "POST", body, redirect: "manual", headers: { Accept: "application/json" },
            });
            if (response.type === "opaqueredirect") return { status: 401 };
            const answer = (response.headers.get("Content-Type") || "").includes("json") ? await response.json() : {};
            return { ...answer, status: response.ok && !answer.revision ? 401 : response.status };
        } catch {
            return { status: 0 };
        }
    }

    function complain(why, message = "") {
        for (const part of unsaved.querySelectorAll("[data-why]")) part.hidden = part.dataset.why !== why;
        unsaved.querySelector("[data-why=message]").textContent = message;
        if (unsaved.hidden) unsaved.hidden = false;
        saved.textContent = "";
    }

    async function save() {
        const now = snapshot();
        pending = random();
        hidden("revision").value = `${base} ${pending}`;
        keep(pending);
        const answer = await post(data(JSON.parse(now), base, pending));
        if (answer.status === 200) {
            base = answer.revision;
            known = now;
            notBefore = 0;
            unsaved.hidden = true;
            saved.textContent = answer.message;
            for (const button of document.querySelectorAll("[name='form.buttons.delete_draft']")) button.hidden = false;
            if (!submitting && read()?.next === pending) forget();
        } else if (answer.status === 409) {
            blocked = true;
            conflict.dataset.revision = answer.revision;
            conflict.dataset.submission = answer.submission;
            conflict.querySelector("[data-message]").textContent = answer.message;
            conflict.hidden = false;
        } else {
            notBefore = Date.now() + RETRY;
            if (answer.status === 401) complain("session");
            else if (answer.message) complain("message", answer.message);
            else complain("server");
        }
        pending = "";
        hidden("revision").value = base;
    }

    function tick(atOnce = false) {
        if (known === undefined || blocked || submitting || pending || (!atOnce && Date.now() < notBefore)) return;
        if (snapshot() !== known) save();
    }

    // The editor writes the text its own way when it starts: that is no change of the person's.
    let settled = false;
    function settle() {
        const field = form.elements["form.widgets.body"];
        const editor = window.tinymce?.get(field.id);
        if (settled || !editor?.initialized) return;
        settled = true;
        if (editor.isDirty() || !known) return;
        const body = fields().find(([name]) => name === "form.widgets.body")?.[1];
        known = JSON.stringify(JSON.parse(known).map(([name, value]) => [name, name === "form.widgets.body" ? body : value]));
    }

    const starting = setInterval(() => (settled ? clearInterval(starting) : settle()), 100);

    conflict.addEventListener("click", (event) => {
        const choice = event.target.dataset.choice;
        if (choice === "mine") {
            base = conflict.dataset.revision;
            hidden("submission").value = conflict.dataset.submission;
            conflict.hidden = true;
            blocked = false;
            save();
        } else if (choice === "other") {
            forget();
            location.href = location.pathname;
        }
    });

    /** Give the server a text that only this browser has, and show it. */
    async function bring(entry) {
        const answer = await post(data(entry.fields, base, entry.next));
        if (answer.status !== 200) return complain(answer.message ? "message" : "server", answer.message);
        forget();
        location.href = location.pathname;
    }

    const entry = read();
    if (entry && (box.dataset.submitted.split(" ").includes(entry.submission) || entry.next === started)) forget();
    else if (entry && box.dataset.fresh) {
        if (entry.bases.includes(started)) {
            blocked = true;
            bring(entry);
        } else {
            restore.querySelector("[data-time]").textContent = new Date(entry.at).toLocaleString(document.documentElement.lang || undefined);
            restore.hidden = false;
            restore.addEventListener("click", (event) => {
                if (event.target.dataset.choice === "mine") bring(entry);
                else if (event.target.dataset.choice === "other") {
                    forget();
                    restore.hidden = true;
                }
            });
        }
    }
    known = entry && !box.dataset.fresh ? "" : snapshot();

    form.addEventListener("submit", (event) => {
        const name = event.submitter?.name || "";
        const question = name.endsWith(".delete_draft") && box.querySelector("[data-question]").dataset.question;
        if (submitting || (question && !window.confirm(question))) return event.preventDefault();
        submitting = true;
        if (question) forget();
        else if (snapshot() !== known) keep(random());
    });
    window.addEventListener("pageshow", (event) => { if (event.persisted) submitting = false; });
    window.addEventListener("pagehide", () => {
        if (submitting || blocked || known === undefined || snapshot() === known) return;
        const next = random();
        keep(next);
        const body = data(fields(), pending || base, next);
        navigator.sendBeacon(box.dataset.url, body);
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(true); });
    window.addEventListener("focus", () => tick(true));
    setInterval(() => tick(), EVERY);
})();

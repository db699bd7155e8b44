// Keeps what is typed or pasted into the address fields, at once and whatever ends it: Tab, Enter, comma, semicolon, another field.
// select2 alone waits for the server, and drops the text of whoever does not.
(() => {
    const form = document.getElementById("mailbridge-compose");
    const status = document.getElementById("mailbridge-recipients");
    if (!form || !status) return;
    const ADDRESS = /^(?:mailto:)?([^\s<>()[\]",;:]+@[^\s<>()[\]",;:]+)(?:\s*\(([^()]*)\))?$/;
    let typed = ""; // of the field that has the focus
    let chosen = false; // with the arrow keys

    const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    const wordsOf = (text) => fold(text).match(/[\p{L}\p{N}]+/gu) || [];
    /** Tell whether each word that was typed begins a word of a contact. */
    const fits = (text, contact) => wordsOf(text).every((word) => wordsOf(contact).some((other) => other.startsWith(word)));

    /** Return an entry as select2 can keep it: its pattern drops angle brackets and ends values at semicolons. */
    const entry = (address, name = "") => {
        const shown = name.replace(/^[\s,"']+|[\s,"']+$/g, "").replace(/\\(.)/g, "$1").replace(/[()<>;\\]/g, (c) => "[][],/"["()<>;\\".indexOf(c)]);
        return shown && shown !== address ? `${address} (${shown})` : address;
    };

    /** Return the entries of a text: addresses with their names, and whatever else there is as it stands. */
    function entriesOf(text) {
        const found = [];
        for (const piece of text.match(/(?:"(?:\\.|[^"\\])*"|[^;\r\n"]|")+/g) || []) {
            const cells = piece.split("\t").map((cell) => cell.trim()).filter(Boolean);
            const addresses = cells.filter((cell) => ADDRESS.test(cell));
            if (cells.length > 1 && addresses.length === 1 && !piece.includes("<")) {
                found.push(entry(addresses[0].match(ADDRESS)[1], cells.filter((cell) => cell !== addresses[0]).join(" ")));
                continue;
            }
            const plain = (part) => {
                // The pieces of one name, or addresses between commas.
                for (const each of part.includes("@") ? part.split(/[,\t]/) : [part]) {
                    const bare = each.trim().match(ADDRESS);
                    if (bare) found.push(entry(bare[1], bare[2]));
                    else if (each.replace(/[\s,]/g, "")) found.push(each.trim().replace(/,$/, ""));
                }
            };
            let rest = 0;
            for (const match of piece.matchAll(/([^<>]*)<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>/g)) {
                let name = match[1];
                for (let bare; (bare = name.match(/^[\s,]*([^\s,"<>]+@[^\s,"<>]+)\s*,/)); name = name.slice(bare[0].length)) plain(bare[1]);
                found.push(entry(match[2], name));
                rest = match.index + match[0].length;
            }
            plain(piece.slice(rest));
        }
        return found;
    }

    const addressOf = (item) => item.split(" (")[0].toLowerCase();
    const fieldOf = (input) => document.getElementById(input.closest(".select2-container").id.replace("s2id_", ""));
    const isUnknown = (item) => !addressOf(item).includes("@");

    function mark() {
        for (const choice of form.querySelectorAll(".select2-search-choice"))
            choice.classList.toggle("mailbridge-unknown", isUnknown(choice.textContent.trim()));
    }

    function say(items) {
        const unknown = items.filter(isUnknown);
        const shown = (unknown.length ? unknown : items).slice(0, 5).join(", ");
        const count = items.length > 5 ? ` … (${items.length})` : "";
        status.textContent = items.length ? `${unknown.length ? status.dataset.unknown : status.dataset.added} ${shown}${count}` : "";
    }

    function put(field, items, instead) {
        const $field = window.jQuery(field);
        const kept = $field.select2("data").filter((item) => item.id !== instead);
        const keys = new Set(kept.map((item) => addressOf(item.id)));
        const added = items.filter((item) => !keys.has(addressOf(item)) && keys.add(addressOf(item)));
        $field.select2("data", [...kept, ...added.map((item) => ({ id: item, text: item }))], true);
        mark();
        say(added);
    }

    /** Replace a name by the only contact that it fits. It is kept as it is until, and unless, the server knows one. */
    async function complete(field, text) {
        const { vocabularyUrl } = JSON.parse(field.dataset.patSelect2);
        try {
            const response = await fetch(`${vocabularyUrl}?${new URLSearchParams({ query: text })}`, { redirect: "error" });
            const { results, total } = await response.json();
            const present = window.jQuery(field).select2("data").some((item) => item.id === text);
            if (total === 1 && present) put(field, [results[0].id], text);
        } catch {
            // the name stays, and is an error at the field
        }
    }

    function commit(input, text = typed) {
        typed = "";
        chosen = false;
        const field = fieldOf(input);
        const items = entriesOf(text);
        input.value = "";
        window.jQuery(field).select2("close");
        if (items.length) put(field, items);
        const names = items.filter(isUnknown);
        if (names.length <= 5) for (const name of names) complete(field, name);
    }

    const active = () => (document.activeElement?.matches(".select2-input") && form.contains(document.activeElement) ? document.activeElement : null);
    const on = (name, handle) => form.addEventListener(name, (event) => event.target.matches?.(".select2-input") && handle(event, event.target), true);

    on("focus", () => {
        // select2 tells by jQuery what it does
        window.jQuery(form).off(".mailbridge").on("select2-selecting.mailbridge", () => { typed = ""; chosen = false; })
            .on("change.mailbridge", mark);
    });
    on("input", (event, input) => {
        typed = input.value;
        chosen = false;
        if (/[;\n]/.test(typed) || /@[^\s,<]+>?\)?\s*,\s*$/.test(typed)) {
            event.stopPropagation();
            commit(input);
        }
    });
    on("keydown", (event, input) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") chosen = true;
        if (event.isComposing || !["Tab", "Enter"].includes(event.key) || !input.value.trim()) return;
        const offered = document.querySelector(".select2-drop-active .select2-highlighted");
        if (offered && (chosen || (event.key === "Enter" && !input.value.includes("@") && fits(input.value, offered.textContent)))) return;
        event.stopImmediatePropagation();
        if (event.key === "Enter") event.preventDefault();
        commit(input, input.value);
    });
    on("paste", (event, input) => {
        const pasted = event.clipboardData.getData("text/plain");
        const text = input.value.slice(0, input.selectionStart) + pasted + input.value.slice(input.selectionEnd);
        if (!/[;\t\r\n]/.test(pasted.trim()) && !pasted.includes("@")) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        commit(input, text);
    });
    on("blur", (_event, input) => {
        if (!document.querySelector(".select2-drop-active:hover") && typed.trim()) commit(input);
    });
    document.addEventListener("mousedown", (event) => {
        const input = active();
        if (input && typed.trim() && !event.target.closest(".select2-drop")) commit(input);
    }, true);
    window.addEventListener("pagehide", () => { const input = active(); if (input && typed.trim()) commit(input); });
    window.addEventListener("load", () => setTimeout(mark, 500));

    // a contact is made in a tab of its own, for the address typed last that has no name
    const link = document.querySelector("#mailbridge-new-contact-link a");
    const to = form.querySelector('input[name="form.widgets.to"]');
    if (!link || !to) return;
    document.getElementById("formfield-form-widgets-to").append(link.parentElement);
    const ids = () => window.jQuery(to).select2("data").map((item) => item.id);
    link.addEventListener("click", () => {
        const bare = ids().filter((id) => ADDRESS.test(id) && !id.includes("(")).pop() || "";
        link.href = `${link.href.split("?")[0]}${bare && `?${new URLSearchParams({ address: bare })}`}`;
    });
    window.addEventListener("message", ({ origin, data }) => {
        const made = data?.mailbridgeContact;
        if (origin === window.location.origin && typeof made === "string") put(to, [made], ids().find((id) => addressOf(id) === addressOf(made)));
    });
})();

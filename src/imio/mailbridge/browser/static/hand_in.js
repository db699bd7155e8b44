// Hands in dropped or chosen files one after the other; the server answers with the words of each result.
(() => {
    const area = document.getElementById("mailbridge-drop-area");
    const form = area.querySelector("form");
    const input = form.querySelector("[type=file]");
    const list = area.querySelector("ul");
    const [waiting, unanswered] = area.querySelector("template").content.children;
    let last = Promise.resolve();

    function line(model, file) {
        const item = model.cloneNode(true);
        item.querySelector("span").textContent = file.name;
        return item;
    }

    function send(file, item) {
        return new Promise((done) => {
            const data = new FormData(form);
            data.delete("file");
            data.append("file", file);
            data.append("hand_in", "1");
            data.append("part", "1");
            const request = new XMLHttpRequest();
            const progress = item.querySelector("progress");
            request.upload.onprogress = (event) => (progress.value = event.loaded / (event.total || 1));
            // The whole file is there, and is being filed: how long that takes is not known.
            request.upload.onload = () => progress.removeAttribute("value");
            request.onloadend = () => {
                const answer = new DOMParser().parseFromString(request.responseText, "text/html");
                item.replaceWith(answer.querySelector("[data-handed-in]") || line(unanswered, file));
                done();
            };
            request.open("POST", form.action);
            request.send(data);
        });
    }

    // The list below shows what was filed, unless somebody is at work in it.
    function showAgain() {
        const content = document.getElementById("content-core");
        if (list.querySelector("progress") || !content || content.contains(area)) return;
        if (!content.contains(document.activeElement)) area.querySelector("a.pat-inject").click();
    }

    function take(files) {
        for (const file of files) {
            const item = list.appendChild(line(waiting, file));
            last = last.then(() => send(file, item));
        }
        last.then(showAgain);
    }

    // Leaving now would lose what waits.
    window.addEventListener("beforeunload", (event) => list.querySelector("progress") && event.preventDefault());

    form.querySelector("button").hidden = true;
    input.addEventListener("change", () => {
        take([...input.files]);
        input.value = "";
    });

    // Files may be dropped anywhere on the page, but where something else takes them.
    const hasFiles = (event) => !event.defaultPrevented && event.dataTransfer?.types.includes("Files");
    const mark = (on) => form.classList.toggle("border-primary", on);
    document.addEventListener("dragover", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        mark(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
    document.addEventListener("drop", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        mark(false);
        take([...event.dataTransfer.files]);
    });
})();

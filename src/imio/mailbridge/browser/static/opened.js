// Says that the mail on this page was shown, once somebody can see it.
(() => {
    const form = document.getElementById("mailbridge-opened");

    function say() {
        if (document.visibilityState !== "visible") return;
        document.removeEventListener("visibilitychange", say);
        fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true });
    }

    document.addEventListener("visibilitychange", say);
    say();
})();

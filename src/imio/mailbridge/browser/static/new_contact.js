// Hands a new contact to the e-mail that it was made for, and closes the tab where the browser allows it.
(() => {
    const made = document.getElementById("mailbridge-new-contact");
    if (!made || !window.opener) return;
    window.opener.postMessage({ mailbridgeContact: made.dataset.contact }, window.location.origin);
    window.close();
})();

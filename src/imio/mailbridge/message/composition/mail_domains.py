"""Lists the mail domains of most people, with which a mistyped domain is compared."""


def _countries(name: str, *countries: str) -> frozenset[str]:
    return frozenset(f"{name}.{country}" for country in countries)


#: Domains that are suggested, the most used in Belgium first: of equally close ones the first wins.
SUGGESTED = (
    "gmail.com", "hotmail.com", "outlook.com", "skynet.be", "telenet.be", "proximus.be", "hotmail.be", "voo.be", "live.be",
    "yahoo.com", "icloud.com", "outlook.be", "hotmail.fr", "yahoo.fr", "outlook.fr", "live.com", "live.fr", "yahoo.be",
    "scarlet.be", "belgacom.net", "brutele.be", "laposte.net", "wanadoo.fr", "googlemail.com", "protonmail.com", "gmx.net",
    "ziggo.nl", "t-online.de", "hotmail.nl", "hotmail.de", "outlook.de",
)  # fmt: skip

#: Names that exist under one top-level domain only.
ONLY = {
    "gmail": "gmail.com",
    "icloud": "icloud.com",
    "protonmail": "protonmail.com",
    "googlemail": "googlemail.com",
}

#: Domains that exist and look like one of the above: never taken for a mistake.
REAL = (
    frozenset(SUGGESTED)
    | _countries("hotmail", "ch", "co.uk", "dk", "es", "gr", "it", "lu", "no", "pt", "se")
    | _countries("live", "at", "be", "ca", "ch", "cn", "co.uk", "de", "dk", "ie", "it", "lu", "nl", "no", "pt", "se")
    | _countries("outlook", "at", "co", "cz", "dk", "es", "ie", "it", "lu", "nl", "pt", "sk")
    | _countries("yahoo", "at", "ca", "ch", "co.uk", "de", "dk", "es", "gr", "ie", "it", "nl", "no", "pl", "pt", "ro", "se")
    | _countries("gmx", "at", "be", "ch", "com", "de", "fr")
    | {
        "aol.com", "base.be", "cloud.com", "dommel.be", "edpnet.be", "email.com", "free.fr", "home.nl", "kpnmail.nl", "mac.com",
        "mail.be", "mail.com", "mail.de", "me.com", "mobistar.be", "msn.com", "numericable.be", "orange.be", "orange.fr",
        "pandora.be", "planet.nl", "pm.me", "proton.me", "protonmail.ch", "proximus.com", "rocketmail.com", "sfr.fr", "skynet.com",
        "telenet.com", "tvcablenet.be", "web.de", "win.be", "xs4all.nl", "ymail.com", "zoho.com",
    }
)  # fmt: skip

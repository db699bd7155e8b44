"""The words of dates: months in the languages of the mail that towns receive, halves of the day, time zones. Data only.

A language is a row, a zone is a row. Words are written without accents, as ``fold`` leaves them.
"""

#: Beginnings of the names of the months, January first; several for one month are separated by ``|``, the longest that fits counts.
MONTHS = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "fr": "janv fevr|fev mars avr mai juin juil aout sept oct nov dec",
    "nl": "jan febr|feb maart|mrt apr mei juni|jun juli|jul aug sep okt nov dec",
    "de": "jan|janner feb marz|maerz|mrz apr mai juni juli aug sep okt nov dez",
    "es": "ene feb marzo abr mayo jun jul ago sep oct nov dic",
    "it": "gen feb marzo apr mag giu lug ago set ott nov dic",
    "pt": "jan fev marco abr maio jun jul ago set out nov dez",
    "pl": "sty lut marz|mar kwi maj cze lip sie wrz paz lis gru",
    "ro": "ian feb mar apr mai iun iul aug sept oct noi dec",
    "tr": "oca sub mar nis may haz tem agu eyl eki kas ara",
    "ar": "يناير|جانفي|كانون فبراير|فيفري|شباط مارس|اذار ابريل|افريل|نيسان مايو|ماي|ايار يونيو|جوان|حزيران"
    " يوليو|يوليوز|جويلية|تموز اغسطس|غشت|اوت سبتمبر|شتنبر|ايلول اكتوبر نوفمبر|نونبر ديسمبر|دجنبر",
    "uk": "січ лют бер квіт трав черв лип серп вер жовт лист груд",
    "bg": "януари|яну|ян фев март апр маи юни юли авг сеп окт ное дек",
    "ru": "янв фев мар апр мая|маи июн июл авг сен окт ноя дек",
    "sv": "jan feb mars apr maj juni juli aug sep okt nov dec",
    "da": "jan feb marts apr maj juni juli aug sep okt nov dec",
    "nb": "jan feb mars apr mai juni juli aug sep okt nov des",
    "fi": "tammi helmi maalis huhti touko kesa heina elo syys loka marras joulu",
    "cs": "led uno bre dub kve cerv|cerven cervenec|cervence srp zar rij lis pro",
    "hu": "jan febr marc apr maj jun jul aug szept okt nov dec",
    "el": "ιαν φεβ μαρ απρ μαι ιουν ιουλ αυγ σεπ οκτ νοε δεκ",
}
#: Before noon, after noon; dots and blanks in them do not count.
HALF_DAYS = (("am", "pm"), ("ص", "م"), ("πμ", "μμ"), ("проб", "слоб"), ("oo", "os"))
#: Hours before UTC of the zones that programs name, or the name of the zone with its summer time.
ZONES: dict[str, int | str] = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1,
    "cet": 1, "cest": 2, "met": 1, "mest": 2, "met dst": 2, "mez": 1, "mesz": 2, "hnec": 1, "haec": 2,
    "eet": 2, "eest": 3, "msk": 3, "trt": 3,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "est5edt": "America/New_York", "cst6cdt": "America/Chicago", "mst7mdt": "America/Denver", "pst8pdt": "America/Los_Angeles",
    "cet-1cest": "Europe/Brussels", "europe/brussels": "Europe/Brussels", "europe/paris": "Europe/Paris",
    "europe/amsterdam": "Europe/Amsterdam", "europe/luxembourg": "Europe/Luxembourg", "europe/berlin": "Europe/Berlin",
    "europe/london": "Europe/London", "romance standard time": "Europe/Brussels", "romance daylight time": "Europe/Brussels",
    "w. europe standard time": "Europe/Berlin", "w. europe daylight time": "Europe/Berlin",
    "central european standard time": "Europe/Brussels", "central european summer time": "Europe/Brussels",
    "heure normale d'europe centrale": "Europe/Brussels", "heure d'ete d'europe centrale": "Europe/Brussels",
    "paris, madrid": "Europe/Brussels",
}  # fmt: skip

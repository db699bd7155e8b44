#!/bin/sh
# Which messages are there to translate? Rebuilds the .pot from the sources and brings each .po up to date:
#
#     src/imio/mailbridge/locales/update.sh
#
# Finds _() in Python, i18n:translate in page templates, i18n_domain in ZCML and i18n:domain in the XML of
# GenericSetup. i18ndude is that of the active environment, of .venv, or of bin (buildout); I18NDUDE names another.
set -eu

cd -P "$(dirname "$0")"  # the top-level "locales" is a link
cd ../../..
domain=imio.mailbridge
locales=imio/mailbridge/locales
pot=$locales/$domain.pot

if [ -z "${I18NDUDE:-}" ]; then
    for I18NDUDE in i18ndude ../.venv/bin/i18ndude ../bin/i18ndude; do
        command -v "$I18NDUDE" >/dev/null && break
    done
fi

new=$(mktemp)
trap 'rm -f "$new"' EXIT
if [ -f "$pot" ]; then
    cat "$pot" >"$new"  # its header stays
    "$I18NDUDE" rebuild-pot --no-line-numbers --pot "$new" imio/mailbridge
else
    "$I18NDUDE" rebuild-pot --no-line-numbers --pot "$new" --create "$domain" imio/mailbridge
fi

# no difference but the date is none
undated() { grep -v '^"POT-Creation-Date:' "$1"; }
if [ ! -f "$pot" ] || [ "$(undated "$new")" != "$(undated "$pot")" ]; then
    cat "$new" >"$pot"
fi
"$I18NDUDE" sync --pot "$pot" "$locales"/*/LC_MESSAGES/"$domain".po

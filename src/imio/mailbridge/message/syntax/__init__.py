"""The syntax of e-mail (RFC 5322, RFC 2045): header fields, addresses, parameters, charsets and the structure of parts."""

# Sourced: pip and uv trust what this machine trusts, a company's proxy included.
if [ -z "${SSL_CERT_FILE:-}" ]; then
    for bundle in "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
        [ -n "$bundle" ] && [ -r "$bundle" ] && { SSL_CERT_FILE=$bundle; break; }
    done
fi
[ -z "${SSL_CERT_FILE:-}" ] || { export SSL_CERT_FILE; export PIP_CERT="${PIP_CERT:-$SSL_CERT_FILE}"; }

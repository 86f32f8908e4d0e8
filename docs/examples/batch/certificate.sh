#!/bin/sh
# Whether service.pem is valid when the guest's clock reads what it said last.
set -eu
folder=$(dirname "$0")
time=$("$folder/guest-date.sh" certificate '+%s')
exec openssl verify -attime "$time" -CAfile "$folder/service.pem" "$folder/service.pem"

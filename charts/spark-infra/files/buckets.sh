# Makes each bucket and prefix that is named as an argument, BUCKET or BUCKET/PREFIX, in order; what is there stays as it is.
# The endpoint and the keys come from the environment: S3_ENDPOINT, S3_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
set -euo pipefail
answer=$(mktemp)

# The body of a request comes from stdin. The keys go to curl by a pipe: everyone can see arguments.
put() {
    local keys=$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY
    keys=${keys//\\/\\\\}
    curl --silent --show-error --request PUT --config <(printf 'user = "%s"\n' "${keys//\"/\\\"}") \
        --aws-sigv4 "aws:amz:$S3_REGION:s3" --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --header 'Content-Type:' \
        --retry 60 --retry-delay 5 --retry-connrefused --max-time 60 \
        --output "$answer" --write-out '%{http_code}' --data-binary @- "$S3_ENDPOINT/$1"
}

# Amazon wants to be told the region, unless it is the first one.
make_bucket() {
    local body=
    if [[ $S3_REGION != us-east-1 ]]; then
        body="<CreateBucketConfiguration><LocationConstraint>$S3_REGION</LocationConstraint></CreateBucketConfiguration>"
    fi
    printf '%s' "$body" | put "$1"
}

for place; do
    if [[ $place == */* ]]; then
        status=$(put "$place/" </dev/null)
    else
        status=$(make_bucket "$place")
    fi
    if [[ $status == 200 ]]; then
        echo "$place: there"
    elif [[ $status == 409 ]] && grep -q BucketAlreadyOwnedByYou "$answer"; then
        echo "$place: there already"
    else
        echo "$place: $status $(<"$answer")" >&2
        exit 1
    fi
done

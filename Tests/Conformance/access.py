"""Every route that the document says needs a token is refused without one (401) and with a wrong one (403), over TCP."""
import json
import sys
import time
import urllib.error
import urllib.request

base = sys.argv[1]


def status(method, path, headers):
    request = urllib.request.Request(base + path, method=method, headers=headers, data=b"{}" if method != "GET" else None)
    while True:
        try:
            return urllib.request.urlopen(request, timeout=30).status
        except urllib.error.HTTPError as error:
            if error.code != 429:
                return error.code
            if "Retry-After" not in error.headers:
                sys.exit(f"{method} {path}: 429 without Retry-After")
            time.sleep(1)


document = json.load(urllib.request.urlopen(base + "/openapi.json", timeout=30))
tried, bad = 0, []
for path, methods in document["paths"].items():
    for method, operation in methods.items():
        if operation["security"] != [{"token": []}] or method == "head":
            continue
        for headers, wanted in (({}, 401), ({"Authorization": "Bearer wrong"}, 403), ({"Authorization": "Basic eA=="}, 401)):
            found = status(method.upper(), path, headers)
            tried += 1
            if found != wanted:
                bad.append(f"{method.upper()} {path} with {headers or 'no token'}: {found}, not {wanted}")
print(f"access: {tried} requests without a good token, {len(bad)} let in or refused wrongly")
sys.exit("\n".join(bad) if bad else 0)

#!/usr/bin/env python3
"""Sends Matroska from standard input to a stream by PutMedia, as it arrives, and prints the acknowledgements.

    ffmpeg ... -f matroska -live 1 -cluster_time_limit 2000 - | put_media.py http://127.0.0.1:8080 front-door

Needs botocore. Credentials come from where the SDKs look for them, the region from AWS_REGION (us-east-1). Timecodes
count from the start of this program. Ends with 1 if there was an ERROR.
"""

import http.client
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.session

endpoint, stream = sys.argv[1:3]
url = urllib.parse.urlsplit(endpoint)
headers = {
    "x-amzn-stream-name": stream,
    "x-amzn-fragment-timecode-type": "RELATIVE",
    "x-amzn-producer-start-timestamp": f"{time.time():.3f}",
}
request = botocore.awsrequest.AWSRequest(method="POST", url=f"{endpoint}/putMedia", headers=headers)
credentials = botocore.session.get_session().get_credentials()
botocore.auth.SigV4Auth(credentials, "kinesisvideo", os.environ.get("AWS_REGION", "us-east-1")).add_auth(request)

connection = socket.create_connection((url.hostname, url.port or {"http": 80, "https": 443}[url.scheme]))
if url.scheme == "https":
    connection = ssl.create_default_context().wrap_socket(connection, server_hostname=url.hostname)
lines = [f"POST {url.path}/putMedia HTTP/1.1", f"Host: {url.netloc}", "Transfer-Encoding: chunked"]
lines += [f"{name}: {value}" for name, value in request.headers.items()]
connection.sendall("\r\n".join([*lines, "", ""]).encode())


def send():
    while chunk := os.read(sys.stdin.fileno(), 65536):
        connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    connection.sendall(b"0\r\n\r\n")


threading.Thread(target=send, daemon=True).start()
response = http.client.HTTPResponse(connection, method="POST")
response.begin()
failed = response.status != 200
for line in response:
    print(line.decode().rstrip(), flush=True)
    failed |= b'"ERROR"' in line
sys.exit(failed)

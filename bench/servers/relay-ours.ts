// `relay` on node:http, over Node's own fetch or over guardedFetch.

import { createServer } from "node:http";
import { relay } from "tailrace";
import { createListener, guardedFetch } from "tailrace/node";

const [upstream = "", kind] = process.argv.slice(2);
const fetch = kind === "guardedFetch" ? guardedFetch({ allowPrivate: [new URL(upstream).host] }) : undefined;

createServer(createListener((request) => relay(request, upstream + new URL(request.url).pathname, { fetch }))).listen(
  0,
  "127.0.0.1",
);

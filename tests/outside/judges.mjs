// Verifiers that Hookspan's authors did not write. Reads cases as JSON from standard input, writes a list of booleans.
// A case: {judge, headers, body in base64, and what the judge needs}. Run by _npm.py in the folder of the packages.
import crypto from "node:crypto";
import { text } from "node:stream/consumers";

import { verify as verifyGitHub } from "@octokit/webhooks-methods";
import standardwebhooks from "standardwebhooks";

const judges = {
  // The reference implementation of Standard Webhooks.
  standardwebhooks({ secret, headers }, body) {
    new standardwebhooks.Webhook(secret).verify(body, headers);
    return true;
  },

  // The same one's other half, for vectors whose time has passed.
  standardwebhooks_sign({ secret, headers }, body) {
    const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
    const made = new standardwebhooks.Webhook(secret).sign(headers["webhook-id"], at, body.toString());
    return made === headers["webhook-signature"];
  },

  // GitHub's own.
  octokit({ secret, headers }, body) {
    return verifyGitHub(secret, body.toString(), headers["x-hub-signature-256"]);
  },

  // Node's HMAC over the body alone; `start` stands before the signature, `encoding` is how it is written.
  hmac({ secret, header, start, join, encoding, headers }, body) {
    const mac = crypto.createHmac("sha256", secret).update(body).digest();
    const parts = headers[header].split(join);
    return parts.every((one) => one.startsWith(start))
      && parts.some((one) => encoding === "hex-upper"
        ? one === start + mac.toString("hex").toUpperCase()
        : one === start + mac.toString(encoding));
  },

  // Node's Ed25519 over id.timestamp.body, the key as SPKI PEM.
  ed25519({ key, headers }, body) {
    const message = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
    return headers["webhook-signature"].split(" ").some((one) => one.startsWith("v1a,")
      && crypto.verify(null, message, key, Buffer.from(one.slice(4), "base64")));
  },

  // Node's RSASSA-PKCS1-v1_5 over SHA-256 of t.body.
  rsa({ key, headers }, body) {
    const [, at, signature] = /^t=(\d+),v0=([A-Za-z0-9+/=]+)$/.exec(headers["x-webhook-signature"]);
    const digest = crypto.createHash("sha256").update(`${at}.`).update(body).digest();
    return crypto.verify("sha256", digest, key, Buffer.from(signature, "base64"));
  },
};

const verdicts = [];
for (const { body, judge, ...facts } of JSON.parse(await text(process.stdin))) {
  try {
    verdicts.push((await judges[judge](facts, Buffer.from(body, "base64"))) === true);
  } catch (error) {
    if (!(judge in judges)) throw error;
    verdicts.push(false);
  }
}
console.log(JSON.stringify(verdicts));

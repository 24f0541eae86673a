// What mailauth says of mails: reads {"key": TXT record, "mails": [base64]} from a file, prints a list as JSON.
import { readFile } from "node:fs/promises";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";

const { key, mails } = JSON.parse(await readFile(process.argv[2], "utf8"));
const found = [];
for (const mail of mails) {
  const asked = [];
  const resolver = async (name) => {
    asked.push(name);
    return [[key]];
  };
  const { results } = await dkimVerify(Buffer.from(mail, "base64"), { resolver });
  found.push(results.map((one) => ({ result: one.status.result, domain: one.signingDomain, asked, headers: one.signingHeaders?.keys })));
}
process.stdout.write(JSON.stringify(found));

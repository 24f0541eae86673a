// Prints the official parser's findings on an AsyncAPI document as JSON: errors and warnings, with their paths.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const severities = ["error", "warning", "information", "hint"];
const found = await new Parser().validate(await readFile(process.argv[2], "utf8"));
const readable = found.map((one) => ({
  severity: severities[one.severity],
  rule: one.code,
  path: one.path.join("."),
  message: one.message,
}));
process.stdout.write(JSON.stringify(readable));

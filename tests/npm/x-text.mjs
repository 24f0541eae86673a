// twitter-text as a judge. `rules`: what it knows, as JSON. Without an argument: for each line of standard input, a text
// as JSON, a line with its weighted length.
import { createInterface } from "node:readline";
import twitter from "twitter-text";

const { parseTweet, regexen } = twitter.default ?? twitter;
const names = (expression) => expression.source.replace(/^(\(\?:)+/, "").split(")")[0].split("|");

if (process.argv[2] === "rules") {
  const { default: emoji } = await import("twemoji-parser/dist/lib/regex.js");
  console.log(
    JSON.stringify({
      generic: names(regexen.validGTLD),
      country: names(regexen.validCCTLD),
      emoji: (emoji.default ?? emoji).source,
    }),
  );
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(parseTweet(JSON.parse(line)).weightedLength);
  }
}

// Runs @copilotkit/aimock, an LLM server of others' making, as a child of a test: test/tap/Aimock.pm. Its first line is
// "URL http://127.0.0.1:<port>"; it ends when its standard input closes. Keys that it accepts stand in AIMOCK_API_KEYS.
import { pathToFileURL } from "node:url";

const package_folder = pathToFileURL(`${process.env.AQ_NODE_MODULES}/@copilotkit/aimock/`);
const { LLMock } = await import(new URL("dist/index.js", package_folder));

const apiKeys = process.env.AIMOCK_API_KEYS.split(",");
const mock = new LLMock({ port: 0, logLevel: "warn", auth: { apiKeys } });
console.log(`URL ${await mock.start()}`);

process.stdin.resume();
process.stdin.on("end", () => process.exit(0)); // open connections are not waited for

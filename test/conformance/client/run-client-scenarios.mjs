import { fileURLToPath } from 'node:url';
import { runSuiteCommand } from '../run-suite.mjs';
import { notOfNodes, scenarios } from './scenarios.mjs';

const DRIVER = fileURLToPath(new URL('drive.mjs', import.meta.url));
const AT_ONCE = 3;

/** The client scenarios that a revision's requirements name, scored or not. */
export function parseClientScenarios(listing) {
  const [scored = '', unscored = ''] = listing.split(/^Run and reported, but never scored:$/m);
  const [, ofClients = ''] = scored.split(/^Client scenarios.*$/m);
  const named = [...ofClients.matchAll(/^\s+- (\S+)$/gm)].map(([, name]) => name);
  const others = [...unscored.matchAll(/^\s+- (\S+) \[client\]$/gm)].map(([, name]) => name);
  return { scored: named, unscored: others };
}

/**
 * The suite's client scenarios of a revision with a node as the client: what passed of those that apply, and every fault. One that neither applies nor
 * is listed with a reason why not is a fault, and so is one that the suite no longer has.
 */
export async function runClientScenarios(requirements, stack) {
  const listed = parseClientScenarios(await runSuiteCommand(['list', '--client', '--requirements', requirements]));
  const names = [...listed.scored, ...listed.unscored];
  const ours = Object.keys(scenarios[requirements]);
  const faults = [
    ...names
      .filter((name) => !ours.includes(name) && reasonOf(name) === undefined)
      .map((name) => `${name} is neither driven nor listed with a reason`),
    ...ours.filter((name) => !names.includes(name)).map((name) => `${name} is not in the suite: take it out`),
  ];
  const waiting = ours.filter((name) => names.includes(name));
  const failed = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const fault = await runOne(name, requirements, stack);
      if (fault !== undefined) failed.push(`${name} fails: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { passed: ours.length - failed.length, total: ours.length, others: names.length - ours.length, faults: [...faults, ...failed] };
}

const reasonOf = (name) => notOfNodes.find(({ scenario }) => scenario.test(name))?.reason;

async function runOne(name, revision, { controlPlaneUrl, operatorToken, gatewayUrls }) {
  const command = `${process.execPath} ${DRIVER}`;
  const environment = { DRIVE_CONTROL_PLANE_URL: controlPlaneUrl, DRIVE_OPERATOR_TOKEN: operatorToken, DRIVE_GATEWAY_URL: gatewayUrls[0] };
  const output = await runSuiteCommand(['client', '--command', command, '--scenario', name, '--spec-version', revision], environment);
  const [, passed, failed] = /^Passed: (\d+)\/\d+, (\d+) failed/m.exec(output) ?? [];
  return Number(passed) > 0 && failed === '0' && !output.includes('CLIENT EXITED WITH ERROR') ? undefined : output.slice(-1500);
}

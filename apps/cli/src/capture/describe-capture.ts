import type { Settings } from '@portcullis/contracts/api/policy';
import type { CaptureOverride, ServerCapture } from '@portcullis/contracts/capture';
import { plainText } from '../plain-text.js';

/** What is kept of every call, where no server says otherwise. */
export const describeUsual = ({ auditCapture, auditArgumentBytesMax: bytesMax }: Settings): string[] => [
  'Of every call:',
  `  arguments: ${ruleText({ ...auditCapture.arguments, bytesMax })}`,
  `  results: ${ruleText(auditCapture.results)}`,
];

/** What a server has of its own; the rest is as usual. */
export function describeServer(slug: string, capture: ServerCapture | null): string[] {
  if (capture === null) return [`At ${slug}: as usual.`];
  const tools = (capture.tools ?? []).flatMap((tool) => overrideLines(tool, `${tool.names.map((name) => plainText(name, 120)).join(', ')}: `));
  return [`At ${slug}:`, ...overrideLines(capture, ''), ...tools];
}

const overrideLines = (override: { arguments?: CaptureOverride | undefined; results?: CaptureOverride | undefined }, of: string): string[] => [
  ...(override.arguments === undefined ? [] : [`  ${of}arguments: ${ruleText(override.arguments)}`]),
  ...(override.results === undefined ? [] : [`  ${of}results: ${ruleText(override.results)}`]),
];

function ruleText({ mode, bytesMax, paths = [] }: CaptureOverride): string {
  const parts = [
    mode,
    bytesMax === undefined ? undefined : `at most ${bytesMax} bytes`,
    paths.length === 0 ? undefined : `without ${paths.join(' ')}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

import { compilePaths, type CaptureRule } from '@portcullis/audit';
import { USUAL_CAPTURE, type CaptureEntry, type ServerCaptureEntry } from '@portcullis/contracts/capture';
import type { ServerEntry, SettingsEntry } from '@portcullis/contracts/snapshot';
import { compileGlob, type GlobMatcher } from '@portcullis/policy';

/** What is kept of a call. */
export interface CaptureRules {
  readonly arguments: CaptureRule;
  readonly results: CaptureRule;
}

/** The rules for one thing that a server offers, by its own name there; those of the installation where it is nothing known. */
export function captureRulesOf(settings: SettingsEntry, server: ServerEntry | undefined, name: string | null): CaptureRules {
  if (server?.capture === undefined) return rulesOfAll(settings);
  return rulesOfServer(settings, server.capture).of(name);
}

/** The newest alone: of an older snapshot only calls are left that began with it. */
let ofAll: { readonly settings: SettingsEntry; readonly rules: CaptureRules } | undefined;

function rulesOfAll(settings: SettingsEntry): CaptureRules {
  if (ofAll?.settings !== settings) ofAll = { settings, rules: compile(layersOf(settings)) };
  return ofAll.rules;
}

const ofServers = new WeakMap<ServerCaptureEntry, ServerRules>();

function rulesOfServer(settings: SettingsEntry, capture: ServerCaptureEntry): ServerRules {
  const known = ofServers.get(capture);
  if (known?.settings === settings) return known;
  const made = new ServerRules(settings, capture);
  ofServers.set(capture, made);
  return made;
}

class ServerRules {
  private readonly usual: CaptureRules;
  private readonly tools: readonly { readonly matches: readonly GlobMatcher[]; readonly rules: CaptureRules }[];

  constructor(
    readonly settings: SettingsEntry,
    capture: ServerCaptureEntry,
  ) {
    const layers = [...layersOf(settings), capture];
    this.usual = compile(layers);
    this.tools = (capture.tools ?? []).map((tool) => ({ matches: tool.names.map(compileGlob), rules: compile([...layers, tool]) }));
  }

  of(name: string | null): CaptureRules {
    if (name === null) return this.usual;
    return this.tools.find(({ matches }) => matches.some((match) => match(name)))?.rules ?? this.usual;
  }
}

const layersOf = ({ capture, auditArgumentBytesMax: bytesMax }: SettingsEntry): CaptureEntry[] => [
  USUAL_CAPTURE,
  { arguments: { bytesMax } },
  ...(capture === undefined ? [] : [capture]),
];

/** What a later layer says counts; paths add up. */
const compile = (layers: readonly CaptureEntry[]): CaptureRules => ({
  arguments: compileRule(layers.flatMap((layer) => layer.arguments ?? [])),
  results: compileRule(layers.flatMap((layer) => layer.results ?? [])),
});

function compileRule(layers: readonly NonNullable<CaptureEntry['arguments']>[]): CaptureRule {
  const { mode = USUAL_CAPTURE.results.mode, bytesMax = USUAL_CAPTURE.results.bytesMax } = Object.assign({}, ...layers) as (typeof layers)[number];
  return { mode, bytesMax, paths: compilePaths([...new Set(layers.flatMap(({ paths = [] }) => paths))]) };
}

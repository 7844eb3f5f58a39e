// Servers and tools that read like real ones, the same for the same number every time.
const verbs = 'create get list update delete search send fetch run stop export import merge approve assign archive sync validate'.split(' ');
const nouns =
  'issue repository branch invoice customer order ticket message channel document page table query dashboard alert metric deployment cluster secret user role'.split(
    ' ',
  );
const fillers =
  'the a of in for with from by all given new current optional filter result returns matching account project team workspace region date status owner label limit'.split(
    ' ',
  );
const domains = 'crm billing chat wiki ci monitoring storage calendar mail analytics search payments hr legal support maps'.split(' ');

export const TOOLS_EACH = 10;

/** A number from two others, spread well enough for words. */
const mix = (a, b) => Math.imul(a * 2654435761 + b * 40503 + 12345, 2246822519) >>> 8;
const pick = (words, a, b) => words[mix(a, b) % words.length];

const sentence = (seed, count) =>
  Array.from({ length: count }, (_, at) =>
    at % 3 === 2 ? pick(nouns, seed, at) : at % 7 === 6 ? pick(verbs, seed, at) : pick(fillers, seed, at),
  ).join(' ');

export const slugOf = (number) => `${pick(domains, number, 1)}-${pick(nouns, number, 2)}-${number}`;

export function rowOf(number, base) {
  const domain = pick(domains, number, 1);
  return {
    id: `bench-${number}`,
    slug: slugOf(number),
    name: `${domain} ${number}`,
    url: `${base}/s/${number}/mcp`,
    tags: [domain],
    description: sentence(number, 20),
  };
}

export function toolsOf(number) {
  return Array.from({ length: TOOLS_EACH }, (_, at) => {
    const seed = number * TOOLS_EACH + at;
    const properties = Object.fromEntries(
      Array.from({ length: 5 }, (_, field) => [`${pick(nouns, seed, field)}_${field}`, { type: 'string', description: sentence(seed + field, 12) }]),
    );
    return {
      name: `${pick(verbs, seed, 3)}_${pick(nouns, seed, 4)}_${at}`,
      description: sentence(seed, 40),
      inputSchema: { type: 'object', properties },
    };
  });
}

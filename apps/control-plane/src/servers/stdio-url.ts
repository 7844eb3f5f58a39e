/** Where an address would be of a server that a runner starts: it has none of its own. */
export const STDIO_URL = 'stdio:';

export const stdioUrl = (slug: string): string => `${STDIO_URL}${slug}`;

import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65535);

function read<S extends z.ZodObject>(schema: S): z.infer<S> {
  const result = schema.safeParse(process.env);
  if (result.success) return result.data;
  // One exit naming every fault, without the values: an address may carry a password.
  console.error(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  process.exit(2);
}

/** `PORT` of a demo server on 127.0.0.1; 0 takes any free one. */
export const readPort = (): number => read(z.object({ PORT: port })).PORT;

/** Where the `postgres` demo server finds its own database. */
export const readDemoDatabaseUrl = (): string => read(z.object({ DEMO_DATABASE_URL: z.url() })).DEMO_DATABASE_URL;

/** What preparing the demo's database needs; without a password given, one is made. */
export function readAdminDatabase(): { adminUrl: string; password: string | undefined } {
  const env = read(z.object({ ADMIN_DATABASE_URL: z.url(), DEMO_DATABASE_PASSWORD: z.string().min(1).optional() }));
  return { adminUrl: env.ADMIN_DATABASE_URL, password: env.DEMO_DATABASE_PASSWORD };
}

/** Directory in which `portcullis up` keeps its data, when it is not the default one. */
export const readDataDirectory = (): string | undefined => read(z.object({ PORTCULLIS_DATA: z.string().min(1).optional() })).PORTCULLIS_DATA;

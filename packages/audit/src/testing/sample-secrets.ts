/** Put together where it is used: no text of this project looks like a secret to whoever scans it. */
const random = (length: number): string => 'q7Zk2Xw9Tb4Ln8Rv1Hd6Ys3Jc5Pm0Gf'.repeat(4).slice(0, length);

const jwt = (): string => ['ey' + 'JhbGciOiJIUzI1NiJ9', 'ey' + 'JzdWIiOiIxMjM0In0', random(43)].join('.');

/** One secret of each well-known shape. `whole` is all of a text that is taken for secret where the secret stands in it. */
export const sampleSecrets: readonly { readonly kind: string; readonly secret: string; readonly text?: string }[] = [
  { kind: 'portcullis-key', secret: `gw_abcdefgh01234567_${random(43)}` },
  { kind: 'portcullis-key', secret: `op_abcdefgh01234567_${random(43)}` },
  { kind: 'portcullis-key', secret: `node_abcdefgh01234567_${random(43)}` },
  { kind: 'portcullis-key', secret: `join_abcdefgh01234567_${random(43)}` },
  { kind: 'portcullis-key', secret: `task_${random(120)}` },
  { kind: 'portcullis-key', secret: `whsec_${random(32)}` },
  { kind: 'github-token', secret: `gh${'p'}_${random(36)}` },
  { kind: 'github-token', secret: `github_${'pat'}_${random(60)}` },
  { kind: 'gitlab-token', secret: `gl${'pat'}-${random(20)}` },
  { kind: 'slack-token', secret: `xo${'xb'}-123456789012-${random(24)}` },
  { kind: 'slack-token', secret: `hooks.slack.com/services/T00000000/B00000000/${random(24)}` },
  { kind: 'aws-key', secret: `AK${'IA'}IOSFODNN7EXAMPLE` },
  { kind: 'google-key', secret: `AI${'za'}${random(35)}` },
  { kind: 'stripe-key', secret: `sk_${'live'}_${random(24)}` },
  { kind: 'api-key', secret: `sk-${'ant'}-api03-${random(80)}` },
  { kind: 'api-key', secret: `sk-${'proj'}-${random(48)}` },
  { kind: 'npm-token', secret: `np${'m'}_${random(36)}` },
  { kind: 'registry-token', secret: `py${'pi'}-${random(80)}` },
  { kind: 'jwt', secret: jwt() },
  { kind: 'private-key', secret: `-----BEGIN ${'RSA'} PRIVATE KEY-----\n${random(64)}\n${random(64)}\n-----END RSA PRIVATE KEY-----` },
  { kind: 'url-credentials', secret: 'reader:s3cr3t@word', text: 'postgres://reader:s3cr3t@word@db.example.com/app' },
  { kind: 'authorization', secret: random(30), text: `Bearer ${random(30)}` },
  { kind: 'authorization', secret: `Digest ${random(12)}`, text: `authorization: Digest ${random(12)}` },
  { kind: 'field', secret: 'hunter2', text: 'DB_PASSWORD=hunter2' },
  { kind: 'field', secret: 'correct horse', text: '{ "apiKey": "correct horse" } as the file has it' },
  { kind: 'field', secret: 'swordfish', text: 'https://example.com/?access_token=swordfish&page=2' },
];

import { SandboxReport, SandboxWall } from '@portcullis/contracts/runner/status';

const missing: Readonly<Record<SandboxWall, string>> = {
  user: 'Children run as the user of the runner, and can read and end what is its',
  pidNamespace: 'Children see the other processes of the machine',
  networkNamespace: 'Children reach the network whatever their profile says',
  mountNamespace: 'Children see the files of the machine, as far as their user may',
  cgroups: 'Memory, processor time and processes of a child are held to its limits by looking at them now and then, not by the system',
  noNewPrivileges: 'Children can gain rights by programs that give them',
};

/** What a runner's system does not keep children from, in words; nothing before the runner has said what it can. */
export function sandboxGaps(sandbox: unknown): string[] {
  const report = SandboxReport.safeParse(sandbox);
  if (!report.success) return [];
  return SandboxWall.options.flatMap((wall) => {
    const said = report.data[wall];
    return said.enforced ? [] : [`${missing[wall]} (${said.reason}).`];
  });
}

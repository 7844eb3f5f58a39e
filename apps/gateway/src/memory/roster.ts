/** One of those in a roster; the roster alone changes its place. */
export interface Enrolled {
  rosterPlace: number;
}

/**
 * What is in progress now, so that one timer can look after all of it. Adding and removing is constant work, in no order.
 *
 * Not a `Set`: each time one grows out of its table, the old table keeps what was in it and points to the next one. Once such a table is old, every
 * call in progress at any later change of tables stays in memory until the next full collection.
 */
export class Roster<Member extends Enrolled> {
  private readonly members: Member[] = [];

  add(member: Member): void {
    if (member.rosterPlace >= 0) return;
    member.rosterPlace = this.members.length;
    this.members.push(member);
  }

  remove(member: Member): void {
    const place = member.rosterPlace;
    if (place < 0) return;
    member.rosterPlace = NOWHERE;
    const last = this.members.pop();
    if (last === undefined || last === member) return;
    this.members[place] = last;
    last.rosterPlace = place;
  }

  /** Those that are in now; what `visit` adds or removes does not disturb. */
  forEach(visit: (member: Member) => void): void {
    for (const member of this.members.slice()) visit(member);
  }
}

/** Where whoever is in no roster stands. */
export const NOWHERE = -1;

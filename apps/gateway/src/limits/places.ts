/** How many calls of each sort are in progress on this node. */
export class Places {
  private readonly taken = new Map<string, number>();

  /** Takes a place, if one of so many is free. */
  enter(key: string, most: number): boolean {
    const taken = this.taken.get(key) ?? 0;
    if (taken >= most) return false;
    this.taken.set(key, taken + 1);
    return true;
  }

  leave(key: string): void {
    const left = (this.taken.get(key) ?? 1) - 1;
    if (left > 0) this.taken.set(key, left);
    else this.taken.delete(key);
  }
}

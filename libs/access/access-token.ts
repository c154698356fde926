import { createHash, timingSafeEqual } from 'node:crypto';

/** A token that opens something of this server. Only its hash is kept in memory. */
export class AccessToken {
  private readonly hash: Buffer;

  constructor(token: string) {
    this.hash = sha256(token);
  }

  /** Takes the same time whatever the candidate is. */
  matches(candidate: string): boolean {
    return timingSafeEqual(this.hash, sha256(candidate));
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

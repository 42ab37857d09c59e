// The ids under which a brand knows its customers: keyed, so that two brands cannot compare their lists.
import { brandScopedMemberId } from './people.js';

export class BrandIds {
  /** @param key secret of the deployment */
  constructor(private readonly key: Buffer) {}

  memberId(brandId: string, memberId: string): string {
    return brandScopedMemberId(this.key, brandId, memberId);
  }
}

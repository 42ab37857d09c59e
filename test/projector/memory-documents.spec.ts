// Leases run out by the store's own clock; everything else is the contract.
import { describe, expect, it } from '@jest/globals';
import { silentMsMax } from '../../src/projector/builds/company.js';
import { leaseMs } from '../../src/projector/builds/lease.js';
import { documentStoreContract } from './document-store.contract.js';
import { memoryDocuments, Shelves } from './memory-documents.js';

const shelves = new Shelves(() => 0);
documentStoreContract('a memory', () => memoryDocuments(shelves));

describe('the clock of the memory', () => {
  it('ends leases and silence', async () => {
    let nowMs = 0;
    const store = memoryDocuments(new Shelves(() => nowMs));
    const [a, b] = [store.lease('work', 'a'), store.lease('work', 'b')];
    const [here, there] = [store.attendance(2, 'a'), store.attendance(2, 'b')];
    expect([await a.hold(), await here.hear()]).toEqual([true, 1]);
    nowMs = leaseMs - 1;
    expect([await b.hold(), await there.hear()]).toEqual([false, 2]);
    nowMs = leaseMs;
    expect([await b.hold(), await a.hold()]).toEqual([true, false]);
    nowMs = silentMsMax;
    expect(await there.hear()).toBe(1);
  });
});

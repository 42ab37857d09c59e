// What a comparison of one table found: all differences counted, the first ones told.
import { type Difference, differencesToldMax } from '../../operation/verifier.js';

export interface TableReport {
  readonly table: string;
  readonly compared: number;
  readonly differences: number;
  readonly told: readonly Difference[];
}

export class Findings {
  compared = 0;
  differences = 0;
  readonly told: Difference[] = [];
  add(difference: Difference): void {
    this.differences += 1;
    if (this.told.length < differencesToldMax) this.told.push(difference);
  }
  report(table: string): TableReport {
    return { table, compared: this.compared, differences: this.differences, told: this.told };
  }
}

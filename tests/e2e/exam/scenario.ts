import { atomicCases } from "./atomic_cases.ts";
import { clientCases } from "./client_cases.ts";
import type { ExamCase } from "./exam.ts";
import { expiryCases } from "./expiry_cases.ts";
import { keyCases } from "./key_cases.ts";
import { limitCases } from "./limit_cases.ts";
import { listCases } from "./list_cases.ts";
import { suffixCases } from "./suffix_cases.ts";
import { sumCases } from "./sum_cases.ts";
import { valueCases } from "./value_cases.ts";
import { watchCases } from "./watch_cases.ts";

/** Everything a remote can be asked through the API of Deno KV. */
export const scenario: readonly ExamCase[] = [
  ...valueCases,
  ...keyCases,
  ...atomicCases,
  ...sumCases,
  ...suffixCases,
  ...listCases,
  ...limitCases,
  ...expiryCases,
  ...watchCases,
  ...clientCases,
];

import type { Disk } from "../io/disk.ts";
import type { DataDirPaths } from "./data_dir.ts";

export class StorePlace {
  readonly path: string;
  readonly installedIndex = 0;
  constructor(_disk: Disk, paths: DataDirPaths) {
    this.path = paths.store;
  }
  async prepare(_index: number): Promise<string> {
    throw new Error("stub");
  }
  async switchTo(_path: string, _index: number): Promise<void> {}
  async discard(_path: string): Promise<void> {}
  async removeOthers(): Promise<void> {}
}

/** What processes take of the machine's memory. */
import { readFile, readdir } from 'node:fs/promises'

/** Resident memory of a process in MiB; undefined where there is no /proc. */
export async function residentMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024
}

/** The same of all processes of this name in the group that `leader` leads, together. */
export async function groupMemory(leader: number, name: string): Promise<number | undefined> {
  const pids = (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry))
  let sum: number | undefined
  for (const pid of pids) {
    // pid (name) state parent group: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const [, called, group] = /^\d+ \((.*)\) \S+ \d+ (\d+) /s.exec(stat) ?? []
    if (called === name && Number(group) === leader) sum = (sum ?? 0) + ((await residentMemory(Number(pid))) ?? 0)
  }
  return sum
}

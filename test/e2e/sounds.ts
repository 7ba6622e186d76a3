/** ffmpeg arguments for `seconds` of digital silence. */
export function silence(seconds: number, rateHz = 16_000): string[] {
  return ['-f', 'lavfi', '-i', `anullsrc=r=${rateHz}:cl=mono`, '-t', String(seconds)];
}

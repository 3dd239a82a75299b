/** How often a long loop runs: what `PHIAL_FUZZ` says, else what fits into every test run. */
export const fuzzCount = (usual: number): number => Number(process.env['PHIAL_FUZZ'] ?? usual)

import { tus } from "tailrace/upload";
import { route } from "../../../../lib/route.ts";
import { keepUpload, line, MAX_UPLOAD_BYTES, resumableReporterOf, unfinished } from "../../../../lib/uploads.ts";

/** tus 1.0. An upload that is whole goes where all uploads go. */
const handle = route((request) =>
  tus(request, {
    storage: unfinished,
    line,
    basePath: "/api/tus/",
    maxBytes: MAX_UPLOAD_BYTES,
    progress: (upload) => (upload.isPartial ? undefined : resumableReporterOf(upload)),
    onComplete: ({ id, metadata }) => keepUpload(unfinished.pathOf(id), metadata["filename"] ?? id),
  }),
);

export { handle as DELETE, handle as HEAD, handle as OPTIONS, handle as PATCH, handle as POST };

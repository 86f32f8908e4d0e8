const n=()=>{}; export {n as suspendAction, n as resumeAction, n as downAction, n as startAction, n as importAction}

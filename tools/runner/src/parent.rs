//! Ending with the process that started this one.
#![allow(unsafe_code)]

/// From now on the kernel ends this process, whatever it is doing, when the thread that
/// started it ends. `parent` is that thread's process, as the caller knows it; `false` says
/// that it is gone already.
///
/// For processes that run code which nothing inside of them can stop.
#[must_use]
pub fn end_with_parent(parent: u32) -> bool {
    // SAFETY: takes two numbers and touches no memory. It cannot fail with a valid signal.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
    std::os::unix::process::parent_id() == parent
}

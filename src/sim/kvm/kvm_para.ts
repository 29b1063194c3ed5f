/** What KVM and its guest agree on for asynchronous page faults. Models arch/x86/include/uapi/asm/kvm_para.h. */
export const MSR_KVM_ASYNC_PF_EN = 0x4b564d02;
export const MSR_KVM_ASYNC_PF_INT = 0x4b564d06;
export const MSR_KVM_ASYNC_PF_ACK = 0x4b564d07;
export const KVM_ASYNC_PF_ENABLED = 1;
export const KVM_ASYNC_PF_SEND_ALWAYS = 2;
export const KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT = 4;
export const KVM_ASYNC_PF_DELIVERY_AS_INT = 8;
/** Guest-physical address of the shared area of vCPU 0; the others' follow, 64 bytes apart. */
export const APF_AREA_GPA = 0x20_0000;
/** The token of a broadcast. */
export const APF_BROADCAST = 0xffff_ffff;
/** kvm_vcpu_pv_apf_data: `reason` up to 5.7, `flags` since. */
export const KVM_PV_REASON_PAGE_NOT_PRESENT = 1;
export const KVM_PV_REASON_PAGE_READY = 2;

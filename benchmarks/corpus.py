"""The table of sample files: what our reader says of each, and whether writing it again gives the same text.

    make corpus            every 850 855 856 810 840 843 and ORDERS ORDRSP DESADV INVOIC QUOTES REQOTE file
    make corpus ARGS=all   every file of the manifest

Samples are other people's files and stand beside the repository (TRADEHUB_SHARED, else ../shared); they are never copied here.
"""
